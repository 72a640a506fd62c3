// How the versions of a flow did in the last 30 days, from their daily metrics.
import { useQuery } from "@tanstack/react-query";

import { type ApiError, type Args, call } from "../api/client";
import type { Metric } from "../api/contract";
import { count, duration } from "../ui/format";

const SPAN_MS = 30 * 86_400_000;
const ENDS = new Set(["success", "failure", "stopped", "partial"]);

export interface Result {
  ended: number;
  success: number;
  failure: number;
  /** The longest of the days' 95th percentiles, in ms. */
  p95: number | undefined;
  summary: string;
}

/** All pages of a flow's metrics. */
export async function allMetrics(flow: string, query: Args<"list_version_metrics">["query"]): Promise<Metric[]> {
  const page = (number: number) => call("list_version_metrics", { path: { flow }, query: { ...query, per_page: 100, page: number } });
  const first = await page(1);
  const rest = Array.from({ length: first.meta.last_page - 1 }, (_, index) => page(index + 2));
  return [first, ...(await Promise.all(rest))].flatMap(({ data }) => data);
}

export function useResults(flow: string): Map<number, Result> | undefined {
  const found = useQuery<Metric[], ApiError>({
    queryKey: ["list_version_metrics", flow, "results"],
    queryFn: () => allMetrics(flow, { "filter[interval]": "day", "filter[type]": "runs,duration", "filter[from]": new Date(Date.now() - SPAN_MS).toISOString() }),
  });
  return found.data && results(found.data);
}

/** Pure: metrics by version, added up. */
export function results(metrics: Metric[]): Map<number, Result> {
  const found = new Map<number, Result>();
  for (const { flow_version_id: id, type, key, value } of metrics) {
    const result = found.get(id) ?? { ended: 0, success: 0, failure: 0, p95: undefined, summary: "" };
    found.set(id, result);
    if (type === "runs" && ENDS.has(key)) result.ended += value;
    if (type === "runs" && key === "success") result.success += value;
    if (type === "runs" && key === "failure") result.failure += value;
    if (type === "duration" && key === "p95") result.p95 = Math.max(result.p95 ?? 0, value);
  }
  for (const result of found.values()) result.summary = sentence(result);
  return found;
}

function sentence({ ended, success, failure, p95 }: Result): string {
  const share = ended ? `${((100 * success) / ended).toFixed(success === ended ? 0 : 1)} % succeeded` : "none has ended";
  const slow = p95 === undefined ? "" : `, 95 % took at most ${duration(p95)}`;
  return `${count(ended)} runs, ${share}, ${count(failure)} failed${slow}.`;
}
