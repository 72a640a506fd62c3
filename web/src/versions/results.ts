// How the versions of a flow did in the last 30 days.
import { useQuery } from "@tanstack/react-query";

import { type ApiError, type Args, call } from "../api/client";
import type { Metric, Version, VersionResult } from "../api/contract";

const DAYS = 30;
const DAY_MS = 86_400_000;

export interface Result {
  ended: number;
  failure: number;
  /** The median and the 95th percentile of all runs, in ms. */
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

/** How these versions did, 100 of them at most. */
export function useResults(flow: string, versions: number[] | undefined): Map<number, Result> | undefined {
  const ids = versions?.join(",");
  const found = useQuery<VersionResult[], ApiError>({
    queryKey: ["list_version_results", flow, ids],
    queryFn: async () => {
      const from = new Date(Date.now() - DAYS * DAY_MS).toISOString();
      return (await call("list_version_results", { path: { flow }, query: { "filter[flow_version_id]": ids, "filter[from]": from, per_page: 100 } })).data;
    },
    enabled: versions !== undefined && versions.length > 0,
  });
  return found.data && new Map(found.data.map((one) => [one.id, result(one)]));
}

/** Pure: what is shown of a version. */
export function result({ success, failure, stopped, partial, p50, p95 }: VersionResult): Result {
  const ended = success + failure + stopped + partial;
  return { ended, failure, p50, p95, share: share(success, ended) };
}

function share(success: number, ended: number): string {
  if (!ended) return "—";
  // What did not all succeed is never rounded up to all.
  const percent = Math.floor((1_000 * success) / ended) / 10;
  return `${percent.toFixed(success === ended ? 0 : 1)} %`;
}
