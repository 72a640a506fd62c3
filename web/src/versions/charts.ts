// The charts of a flow's metrics: what each shows, over which time, and its lines. Pure.
import type { Metric } from "../api/contract";
import type { Line } from "../charts/LineChart";
import { bytes, count, duration } from "../ui/format";

const DAY_MS = 86_400_000;
const COLORS = ["#0c8599", "#e8590c", "#6741d9", "#2b8a3e", "#c2255c", "#1971c2", "#e67700"];

export type Range = "1" | "7" | "30" | "365";
export type Interval = Metric["interval"];

/** How far back, and the intervals that make a readable line of it; the first is taken unless another is chosen. */
export const RANGES: Record<Range, { label: string; intervals: Interval[] }> = {
  "1": { label: "Last 24 hours", intervals: ["hour", "minute"] },
  "7": { label: "Last 7 days", intervals: ["day", "hour"] },
  "30": { label: "Last 30 days", intervals: ["day", "hour", "week"] },
  "365": { label: "Last year", intervals: ["week", "day", "month"] },
};

export interface Chart {
  title: string;
  type: Metric["type"];
  name: string;
  format: (value: number) => string;
  /** A count is 0 where nothing was counted; a time is unknown there. */
  isCounted: boolean;
}

const counted = { format: count, isCounted: true };
// On an axis of times, nothing is 0 and not "less than a millisecond".
const time = (ms: number) => (ms === 0 ? "0" : duration(ms));
const timed = { format: time, isCounted: false };
export const CHARTS: Chart[] = [
  { title: "Runs that succeeded", type: "runs", name: "success", ...counted },
  { title: "Runs that failed", type: "runs", name: "failure", ...counted },
  { title: "Duration, median", type: "duration", name: "p50", ...timed },
  { title: "Duration, 95th percentile", type: "duration", name: "p95", ...timed },
  { title: "Duration, 99th percentile", type: "duration", name: "p99", ...timed },
  { title: "Payloads", type: "payloads", name: "count", ...counted },
  { title: "Bytes of payloads", type: "payloads", name: "bytes", format: bytes, isCounted: true },
  { title: "Payloads received", type: "payloads", name: "received", ...counted },
  { title: "Payloads sent", type: "payloads", name: "sent", ...counted },
  { title: "Operations", type: "operations", name: "count", ...counted },
  { title: "Processor time", type: "cpu", name: "total_ms", format: time, isCounted: true },
];
export const TYPES = [...new Set(CHARTS.map(({ type }) => type))].join(",");
export const KEYS = [...new Set(CHARTS.map(({ name }) => name))].join(",");

export function readRange(value: unknown): Range | undefined {
  return String(value) in RANGES ? (String(value) as Range) : undefined;
}

/** The chosen interval, if the range has it. */
export function intervalOf(range: Range, chosen: string | undefined): Interval {
  const { intervals } = RANGES[range];
  return intervals.find((one) => one === chosen) ?? intervals[0] ?? "day";
}

/** The first and the last instant of a range, Unix seconds. */
export function spanOf(range: Range, now: number): [number, number] {
  return [(now - Number(range) * DAY_MS) / 1_000, now / 1_000];
}

/** A line for each version, over all instants at which any version has a value. */
export function drawn(metrics: Metric[], { type, name, isCounted }: Chart): { instants: number[]; lines: Line[] } {
  const seconds = ({ starts_at }: Metric) => Date.parse(starts_at) / 1_000;
  const instants = [...new Set(metrics.map(seconds))].sort((a, b) => a - b);
  const versions = [...new Map(metrics.map(({ iteration, flow_version_id }) => [iteration, flow_version_id]))].sort(([a], [b]) => a - b);
  const lines = versions.map(([iteration, id], index): Line => {
    const own = new Map(metrics.filter((one) => one.flow_version_id === id && one.type === type && one.key === name).map((one) => [seconds(one), one.value]));
    return { label: `Version ${iteration}`, color: COLORS[index % COLORS.length] ?? "#0c8599", values: instants.map((at) => own.get(at) ?? (isCounted ? 0 : null)) };
  });
  return { instants, lines };
}
