// A five-field cron expression as data: which minutes, hours and days it names. Pure.
// It reads what the server reads; what is right and what is not, the server says.

export interface Field {
  text: string;
  /** It begins with `*`. */
  isStar: boolean;
  /** All values that it names, ascending; those of L, LW, 5L and 5#2 are in `special`. */
  values: number[];
  special: string[];
  /** It names all values that there are. */
  isAny: boolean;
}

export interface Cron {
  minute: Field;
  hour: Field;
  day: Field;
  month: Field;
  weekday: Field;
}

export const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
export const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

const short = (names: string[], first: number) => Object.fromEntries(names.map((name, index) => [name.slice(0, 3).toUpperCase(), index + first]));

interface Kind {
  first: number;
  last: number;
  names: Record<string, number>;
  special: RegExp;
}

const NEVER = /^$/;
const KINDS: Record<keyof Cron, Kind> = {
  minute: { first: 0, last: 59, names: {}, special: NEVER },
  hour: { first: 0, last: 23, names: {}, special: NEVER },
  day: { first: 1, last: 31, names: {}, special: /^LW?$/ },
  month: { first: 1, last: 12, names: short(MONTHS, 1), special: NEVER },
  weekday: { first: 0, last: 7, names: short(WEEKDAYS, 0), special: /^[0-7](L|#[1-5])$/ },
};
const ORDER = ["minute", "hour", "day", "month", "weekday"] as const;

/** The expression as data; undefined when it cannot be read. */
export function parse(expression: string): Cron | undefined {
  const texts = expression.trim().toUpperCase().split(/\s+/);
  if (texts.length !== ORDER.length) return undefined;
  const fields = ORDER.map((name, index) => field(texts[index] ?? "", KINDS[name]));
  if (fields.includes(undefined)) return undefined;
  return Object.fromEntries(ORDER.map((name, index) => [name, fields[index]])) as unknown as Cron;
}

function field(text: string, kind: Kind): Field | undefined {
  const terms = text.split(",");
  const special = terms.filter((term) => kind.special.test(term));
  const found = new Set<number>();
  for (const term of terms) {
    if (special.includes(term)) continue;
    const values = named(term, kind);
    if (!values) return undefined;
    for (const value of values) found.add(kind === KINDS.weekday ? value % 7 : value);
  }
  const values = [...found].sort((a, b) => a - b);
  const size = kind.last - kind.first + (kind === KINDS.weekday ? 0 : 1);
  return { text, isStar: text.startsWith("*"), values, special, isAny: values.length === size };
}

/** The values of one term: `*`, `5`, `1-5`, `*` or a range with a step, and `5/15`, which is every 15 from 5 on. */
function named(term: string, { first, last, names }: Kind): number[] | undefined {
  const [range = "", stepText, ...more] = term.split("/");
  const step = stepText === undefined ? 1 : whole(stepText, {});
  if (more.length || !step) return undefined;
  const ends = range === "*" ? [first, last] : range.split("-").map((end) => whole(end, names));
  const [begin, end = stepText === undefined ? begin : last] = ends;
  if (ends.length > 2 || begin === undefined || end === undefined || Number.isNaN(begin + end) || begin < first || end > last || begin > end) return undefined;
  return Array.from({ length: Math.floor((end - begin) / step) + 1 }, (_, index) => begin + index * step);
}

function whole(text: string, names: Record<string, number>): number {
  return names[text] ?? (/^\d{1,4}$/.test(text) ? Number(text) : Number.NaN);
}

export const isAnyDay = ({ day, weekday }: Cron) => day.isAny && weekday.isAny;

/** Day of the month and day of the week are alternatives, unless one of them begins with `*`. */
export const isEither = ({ day, weekday }: Cron) => !day.isStar && !weekday.isStar;

export function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** Whether the expression names this day; months count from 1. */
export function namesDay(cron: Cron, year: number, month: number, day: number): boolean {
  if (!cron.month.values.includes(month)) return false;
  const inMonth = namesDate(cron.day, year, month, day);
  const inWeek = namesWeekday(cron.weekday, year, month, day);
  return isEither(cron) ? inMonth || inWeek : inMonth && inWeek;
}

const weekdayOf = (year: number, month: number, day: number) => new Date(Date.UTC(year, month - 1, day)).getUTCDay();

function namesDate({ values, special }: Field, year: number, month: number, day: number): boolean {
  const last = daysIn(year, month);
  const lastWorkday = [last, last - 1, last - 2].find((one) => weekdayOf(year, month, one) % 6 !== 0);
  return values.includes(day) || (special.includes("L") && day === last) || (special.includes("LW") && day === lastWorkday);
}

function namesWeekday({ values, special }: Field, year: number, month: number, day: number): boolean {
  const weekday = weekdayOf(year, month, day);
  const isNth = (term: string) => Number(term[0]) % 7 === weekday && (term[1] === "L" ? day > daysIn(year, month) - 7 : Math.ceil(day / 7) === Number(term[2]));
  return values.includes(weekday) || special.some(isNth);
}
