// How instants, lengths of time and sizes are written.
const STEPS: Array<[number, string]> = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
  [1, "s"],
];

export function duration(ms: number): string {
  if (ms < 1) return "<1 ms";
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1_000);
  const at = STEPS.findIndex(([size]) => seconds >= size);
  const [size, unit] = STEPS[at] ?? [1, "s"];
  const next = STEPS[at + 1];
  const rest = next ? Math.floor((seconds % size) / next[0]) : 0;
  return `${Math.floor(seconds / size)} ${unit}${rest && next ? ` ${rest} ${next[1]}` : ""}`;
}

export function ago(instant: string, now: number): string {
  const seconds = Math.round((now - Date.parse(instant)) / 1_000);
  const size = Math.abs(seconds);
  if (size < 5) return "now";
  const [step, unit] = STEPS.find(([length]) => size >= length) ?? [1, "s"];
  const words = `${Math.floor(size / step)} ${unit}`;
  return seconds < 0 ? `in ${words}` : `${words} ago`;
}

export function local(instant: string): string {
  return new Date(instant).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

export function utc(instant: string): string {
  return `${instant.slice(0, 19).replace("T", " ")} UTC`;
}

export function bytes(size: number): string {
  if (size < 1_000) return `${size} B`;
  if (size < 1_000_000) return `${(size / 1_000).toFixed(1)} kB`;
  return `${(size / 1_000_000).toFixed(1)} MB`;
}

export function count(number: number): string {
  return number.toLocaleString();
}

/** `1 run`, `2,000 runs`. */
export function many(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}
