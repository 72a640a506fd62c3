// Which dead letters a list shows: what stands in its address, and what that asks of the server. Pure.
import type { Args } from "../api/client";

export interface LetterSearch {
  page?: number;
  flow?: number;
  state?: string;
  step?: string;
  reason?: string;
  from?: string;
  to?: string;
}

export const STATES = ["open", "retried", "re-driven", "discarded"] as const;
const ALL = "all";

const text = (value: unknown) => (typeof value === "string" && value ? value : undefined);
const number = (value: unknown) => (Number(value) > 0 ? Number(value) : undefined);
const instant = (value: unknown) => (typeof value === "string" && !Number.isNaN(Date.parse(value)) ? value : undefined);

export function read(search: Record<string, unknown>): LetterSearch {
  const found: LetterSearch = { page: number(search.page), flow: number(search.flow), state: text(search.state), step: text(search.step), reason: text(search.reason), from: instant(search.from), to: instant(search.to) };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

/** The open ones, unless told otherwise. */
export function filters({ flow, state = "open", step, reason, from, to }: LetterSearch): NonNullable<Args<"list_dead_letters">["query"]> {
  return {
    "filter[flow_id]": flow,
    "filter[state]": state === ALL ? STATES.join(",") : state,
    "filter[step_key]": step,
    "filter[error_class]": reason,
    "filter[created_after]": from,
    "filter[created_before]": to,
  };
}
