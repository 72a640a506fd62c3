// What a step is called, for those who see it and for those who hear it: these begin with the same words. Pure.
import type { Step } from "../api/contract";
import { count } from "../ui/format";
import type { Progress } from "./nodes";

/** What stands below a step's name. */
export function kind(step: Step, title: string): string {
  return [title === step.name ? "" : title, step.is_enabled ? "" : "switched off"].filter(Boolean).join(", ");
}

export function spoken(step: Step, title: string, progress?: Progress): string {
  const problems = Object.values(step.problems ?? {}).flat().length;
  const stands = progress ? progressed(progress) : [problems ? `${problems} to settle` : ""];
  return [step.name, kind(step, title), ...stands].filter(Boolean).join(", ");
}

function progressed({ state, step }: Progress): string[] {
  if (!step?.was_reached) return [state];
  return [step.failed ? `${count(step.failed)} failed` : "", step.payloads_out === undefined ? "" : `${count(step.payloads_out)} payloads out`, state];
}
