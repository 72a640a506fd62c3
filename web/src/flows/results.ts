// How the runs of a flow ended in the last 24 hours, hour by hour.
import type { Results } from "../api/contract";

export const ENDS = ["success", "partial", "stopped", "failure"] as const;
export type End = (typeof ENDS)[number];
export type Ends = Record<End, number>;

export const HOUR_MS = 3_600_000;
const HOURS = 24;

export interface Hour extends Ends {
  starts_at: string;
}

/** Each of the last 24 hours, the oldest first, also those without a run. */
export function hours(results: Results[], now: number): Hour[] {
  const known = new Map(results.map((one) => [Date.parse(one.starts_at), one]));
  const last = Math.floor(now / HOUR_MS) * HOUR_MS;
  return Array.from({ length: HOURS }, (_, at) => {
    const starts = last - (HOURS - 1 - at) * HOUR_MS;
    const { success = 0, partial = 0, stopped = 0, failure = 0 } = known.get(starts) ?? {};
    return { starts_at: new Date(starts).toISOString(), success, partial, stopped, failure };
  });
}

export const total = (ends: Ends): number => ENDS.reduce((sum, end) => sum + ends[end], 0);

export function sum(all: Ends[]): Ends {
  const added = { success: 0, partial: 0, stopped: 0, failure: 0 };
  for (const one of all) for (const end of ENDS) added[end] += one[end];
  return added;
}

const WORDS: Record<End, string> = { success: "succeeded", partial: "succeeded in part", stopped: "stopped", failure: "failed" };

/** Such as "12 succeeded, 1 failed". */
export function inWords(ends: Ends): string {
  const said = ENDS.filter((end) => ends[end] > 0).map((end) => `${ends[end].toLocaleString()} ${WORDS[end]}`);
  return said.join(", ") || "no run";
}
