// What the command palette finds for what is typed.
import type { IconName } from "../ui/Icon";

export interface Entry {
  id: string;
  label: string;
  kind: "Page" | "Action" | "Flow" | "Run";
  icon: IconName;
  go: () => void;
}

/** How well a label fits: at its beginning, at a word's, or inside; -1 where it does not. */
export function fit(label: string, typed: string): number {
  const at = label.toLowerCase().indexOf(typed.toLowerCase());
  if (at < 0) return -1;
  if (at === 0) return 3;
  return /\W/.test(label[at - 1] ?? "") ? 2 : 1;
}

/** The entries that fit, the best first; all of them while nothing is typed. */
export function fitting(entries: Entry[], typed: string): Entry[] {
  const ranked = entries.map((entry) => ({ entry, rank: fit(entry.label, typed) })).filter(({ rank }) => rank >= 0);
  return ranked.sort((one, other) => other.rank - one.rank).map(({ entry }) => entry);
}

/** The run that a number names. */
export function runOf(typed: string): number | undefined {
  const digits = /^(?:run\s*)?#?(\d{1,18})$/i.exec(typed)?.[1];
  return digits && Number(digits) > 0 ? Number(digits) : undefined;
}
