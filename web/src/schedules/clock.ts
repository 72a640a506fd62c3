// The clock changes of a time zone, and what they do to the times of a cron expression. Pure.
import { type Cron, namesDay } from "./cron";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

export interface ClockChange {
  /** The instant, in Unix ms. */
  at: number;
  /** Minutes from UTC, before and after. */
  before: number;
  after: number;
}

export interface Struck {
  change: ClockChange;
  kind: "gap" | "repeat";
  /** The local day, `2027-03-28`, and its times that are left out or come twice, `02:30`. */
  day: string;
  times: string[];
  /** Where the clock goes on: after a gap of 02:00 to 03:00 it is 03:00. */
  from: string;
  to: string;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone) ?? new Intl.DateTimeFormat("en-CA", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" });
  formats.set(zone, known);
  return known;
}

/** How many minutes a zone is ahead of UTC at an instant. */
export function offset(zone: string, at: number): number {
  const part = Object.fromEntries(format(zone).formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const local = Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day, part.hour, part.minute, part.second);
  return Math.round((local - Math.floor(at / 1_000) * 1_000) / MINUTE_MS);
}

/** The wall clock of a zone at an instant: `2027-03-28 03:00`. */
export function wall(zone: string, at: number): string {
  return shown(at + offset(zone, at) * MINUTE_MS);
}

const shown = (local: number) => new Date(local).toISOString().slice(0, 16).replace("T", " ");

export function changes(zone: string, from: number, days: number): ClockChange[] {
  const found: ClockChange[] = [];
  for (let begin = from; begin < from + days * DAY_MS; begin += 7 * DAY_MS) {
    const [before, after] = [offset(zone, begin), offset(zone, begin + 7 * DAY_MS)];
    if (before !== after) found.push({ at: instant(zone, begin, begin + 7 * DAY_MS, before), before, after });
  }
  return found;
}

/** The first minute with another offset. */
function instant(zone: string, low: number, high: number, before: number): number {
  let [first, last] = [Math.floor(low / MINUTE_MS), Math.floor(high / MINUTE_MS)];
  while (last - first > 1) {
    const middle = Math.floor((first + last) / 2);
    if (offset(zone, middle * MINUTE_MS) === before) first = middle;
    else last = middle;
  }
  return last * MINUTE_MS;
}

/** The clock changes that strike times of an expression. One of every hour means an interval, which none strikes. */
export function struck(cron: Cron, zone: string, from: number, days = 366): Struck[] {
  if (cron.hour.isAny) return [];
  return changes(zone, from, days).flatMap((change) => {
    const [low, high] = [Math.min(change.before, change.after), Math.max(change.before, change.after)];
    const begin = change.at + low * MINUTE_MS;
    const end = change.at + high * MINUTE_MS;
    const times: string[] = [];
    for (let local = begin; local < end; local += MINUTE_MS) if (names(cron, new Date(local))) times.push(shown(local).slice(11));
    if (!times.length) return [];
    const kind = change.after > change.before ? "gap" : "repeat";
    const [first, last] = [shown(begin).slice(11), shown(end).slice(11)];
    return [{ change, kind, day: shown(begin).slice(0, 10), times, from: kind === "gap" ? first : last, to: kind === "gap" ? last : first } as const];
  });
}

function names(cron: Cron, local: Date): boolean {
  if (!cron.minute.values.includes(local.getUTCMinutes()) || !cron.hour.values.includes(local.getUTCHours())) return false;
  return namesDay(cron, local.getUTCFullYear(), local.getUTCMonth() + 1, local.getUTCDate());
}
