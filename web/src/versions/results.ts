// How the versions of a flow did in the last 30 days, from their daily metrics.
import { useQuery } from "@tanstack/react-query";

import { type ApiError, type Args, call } from "../api/client";
import type { Metric, Version } from "../api/contract";

const SPAN_MS = 30 * 86_400_000;
const ENDS = new Set(["success", "failure", "stopped", "partial"]);
const KEYS = [...ENDS, "p50", "p95"].join(",");

export interface Result {
  ended: number;
  success: number;
  failure: number;
  /** The longest of the days' medians and 95th percentiles, in ms. */
  p50: number | undefined;
  p95: number | undefined;
  /** How many of those that ended succeeded, `98.5 %`. */
  share: string;
}

/** Whether a version was ever deployed, as all but drafts were; of one that was not, all runs are test runs. */
export const wasReleased = (version: Version): boolean => !version.is_editable;

/** All pages of a flow's metrics. */
export async function allMetrics(flow: string, query: Args<"list_version_metrics">["query"]): Promise<Metric[]> {
  const page = (number: number) => call("list_version_metrics", { path: { flow }, query: { ...query, per_page: 100, page: number } });
  const first = await page(1);
  const rest = Array.from({ length: first.meta.last_page - 1 }, (_, index) => page(index + 2));
  return [first, ...(await Promise.all(rest))].flatMap(({ data }) => data);
}

/** How these versions did; of every one of the flow, unless some are named. */
export function useResults(flow: string, versions: number[] | undefined): Map<number, Result> | undefined {
  const query = { "filter[interval]": "day", "filter[key]": KEYS, "filter[flow_version_id]": versions?.join(",") };
  const found = useQuery<Metric[], ApiError>({
    queryKey: ["list_version_metrics", flow, query],
    queryFn: () => allMetrics(flow, { ...query, "filter[from]": new Date(Date.now() - SPAN_MS).toISOString() }),
    enabled: versions !== undefined && versions.length > 0,
  });
  return found.data && results(found.data);
}

/** Pure: metrics by version, added up. */
export function results(metrics: Metric[]): Map<number, Result> {
  const found = new Map<number, Result>();
  for (const { flow_version_id: id, type, key, value } of metrics) {
    const result = found.get(id) ?? { ended: 0, success: 0, failure: 0, p50: undefined, p95: undefined, share: "—" };
    found.set(id, result);
    if (type === "runs" && ENDS.has(key)) result.ended += value;
    if (type === "runs" && key === "success") result.success += value;
    if (type === "runs" && key === "failure") result.failure += value;
    if (type === "duration" && (key === "p50" || key === "p95")) result[key] = Math.max(result[key] ?? 0, value);
  }
  for (const result of found.values()) result.share = share(result);
  return found;
}

function share({ ended, success }: Result): string {
  if (!ended) return "—";
  // What did not all succeed is never rounded up to all.
  const percent = Math.floor((1_000 * success) / ended) / 10;
  return `${percent.toFixed(success === ended ? 0 : 1)} %`;
}
