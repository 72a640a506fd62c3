// Which runs a list shows: what stands in its address, and what that asks of the server. Pure.
import type { Args } from "../api/client";

export interface RunSearch {
  page?: number;
  flow?: number;
  version?: number;
  schedule?: number;
  status?: string;
  trigger?: string;
  /** Runs that began from and before an instant, ISO 8601. */
  from?: string;
  to?: string;
  warnings?: boolean;
  /** A tracked value that they saw. */
  value?: string;
}

type Filters = NonNullable<Args<"list_runs">["query"]>;

export const TRIGGERS = ["API", "Manual", "Webhook", "Schedule", "Shape", "Retry", "Event", "Callback"];
export const RETRIED = ["3", "4", "5"];
export const STOPPED = ["0", "1"];

const text = (value: unknown) => (typeof value === "string" && value ? value : undefined);
const number = (value: unknown) => (Number(value) > 0 ? Number(value) : undefined);
const instant = (value: unknown) => (typeof value === "string" && !Number.isNaN(Date.parse(value)) ? value : undefined);

/** An address as it may come from anywhere. */
export function read(search: Record<string, unknown>): RunSearch {
  const found: RunSearch = {
    page: number(search.page),
    flow: number(search.flow),
    version: number(search.version),
    schedule: number(search.schedule),
    status: text(String(search.status ?? "")),
    trigger: text(search.trigger),
    from: instant(search.from),
    to: instant(search.to),
    warnings: search.warnings === true ? true : undefined,
    value: text(search.value) ?? (typeof search.value === "number" ? String(search.value) : undefined),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

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
