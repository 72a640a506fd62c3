// Which runs a list shows: what its address asks of the server. Pure.
import type { RunSearch } from "../addresses";
import type { Args } from "../api/client";

type Filters = NonNullable<Args<"list_runs">["query"]>;

export const TRIGGERS = ["API", "Manual", "Webhook", "Schedule", "Shape", "Retry", "Event", "Callback"];
export const RETRIED = ["3", "4", "5"];
export const STOPPED = ["0", "1"];

export function isFiltered({ page: _, ...filters }: RunSearch): boolean {
  return Object.values(filters).some((value) => value !== undefined);
}

/** The server's filters; `ids` are the runs that saw the tracked value. */
export function filters(search: RunSearch, ids?: number[]): Filters {
  return {
    // No run has the id 0: nothing saw the value.
    "filter[id]": ids && (ids.join(",") || "0"),
    "filter[flow_id]": search.flow,
    "filter[flow_version_id]": search.version,
    "filter[schedule_id]": search.schedule,
    "filter[status]": search.status,
    "filter[trigger]": search.trigger,
    "filter[started_after]": search.from,
    "filter[started_before]": search.to,
    "filter[has_warnings]": search.warnings,
  };
}

/** The states that an action is for, of those that are shown; undefined: none of them. */
export function meant(search: RunSearch, states: string[]): string | undefined {
  if (search.status === undefined) return states.join(",");
  const chosen = search.status.split(",").filter((state) => states.includes(state));
  return chosen.length ? chosen.join(",") : undefined;
}
