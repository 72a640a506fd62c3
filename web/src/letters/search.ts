// Which dead letters a list shows: what its address asks of the server. Pure.
import type { LetterSearch } from "../addresses";
import type { Args } from "../api/client";

export const STATES = ["open", "retried", "re-driven", "discarded"] as const;
const ALL = "all";

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
