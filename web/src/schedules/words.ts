// A cron expression in plain words: `30 2 * * 1-5` is "At 02:30 on weekdays". Pure.
import { type Cron, type Field, isAnyDay, isEither, MONTHS, WEEKDAYS } from "./cron";

const MOST_TIMES = 6;
const ORDINALS = ["first", "second", "third", "fourth", "fifth"];
const two = (number: number) => String(number).padStart(2, "0");
const clock = (hour: number, minute: number) => `${two(hour)}:${two(minute)}`;
const past = (minute: number) => `:${two(minute)}`;

export function and(words: string[], joint = "and"): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} ${joint} ${words.at(-1)}`;
}

export function describe(cron: Cron): string {
  const { words, isOften } = times(cron);
  const days = dayWords(cron);
  const daily = isOften ? "" : "every day";
  return [words, isAnyDay(cron) ? daily : days, months(cron)].filter(Boolean).join(" ");
}

/** The step of a field that is `*` with a step, if it fits evenly. */
export function evenStep({ text, isAny }: Field, size: number): number | undefined {
  const step = Number(/^\*\/(\d+)$/.exec(text)?.[1]);
  return !isAny && step > 0 && size % step === 0 && step < size ? step : undefined;
}

export function span(values: number[]): [number, number] | undefined {
  const [first, last] = [values[0], values.at(-1)];
  if (first === undefined || last === undefined || values.length < 3) return undefined;
  return last - first === values.length - 1 ? [first, last] : undefined;
}

/** When in a day; `isOften`: so often that "every day" need not be said. */
function times({ minute, hour }: Cron): { words: string; isOften: boolean } {
  const [first = 0] = minute.values;
  const everyHours = evenStep(hour, 24);
  if (hour.isAny) return { words: hourly(minute), isOften: true };
  if (everyHours && minute.values.length === 1) return { words: `Every ${everyHours} hours at ${past(first)}`, isOften: true };
  if (minute.values.length * hour.values.length <= MOST_TIMES) {
    return { words: `At ${and(hour.values.flatMap((h) => minute.values.map((m) => clock(h, m))))}`, isOften: false };
  }
  return { words: `${within(minute)} ${hours(hour, minute)}`, isOften: false };
}

function hourly(minute: Field): string {
  const step = evenStep(minute, 60);
  if (minute.isAny) return "Every minute";
  if (step) return `Every ${step} minutes`;
  if (minute.text === "0") return "Every hour, on the hour";
  return `At ${and(minute.values.map(past))} of every hour`;
}

function within(minute: Field): string {
  const step = evenStep(minute, 60);
  if (minute.isAny) return "Every minute";
  return step ? `Every ${step} minutes` : `At ${and(minute.values.map(past))}`;
}

function hours(hour: Field, minute: Field): string {
  const range = hour.values.length === 1 ? ([hour.values[0], hour.values[0]] as [number, number]) : span(hour.values);
  if (range) return `from ${clock(range[0], minute.values[0] ?? 0)} to ${clock(range[1], minute.values.at(-1) ?? 0)}`;
  return `of the hours ${and(hour.values.map(two))}`;
}

function dayWords(cron: Cron): string {
  const { day, weekday } = cron;
  if (weekday.isAny) return dates(cron);
  if (day.isAny) return weekdays(weekday);
  return isEither(cron) ? `${dates(cron)}, or ${weekdays(weekday)}` : `${dates(cron)}, but only ${weekdays(weekday)}`;
}

export function ordinal(day: number): string {
  const ending = { 1: "st", 2: "nd", 3: "rd" }[day > 10 && day < 14 ? 0 : day % 10] ?? "th";
  return `${day}${ending}`;
}

function dates({ day, month }: Cron): string {
  const range = span(day.values);
  const named = day.special.map((term) => (term === "L" ? "last day" : "last weekday"));
  const listed = range ? `from the ${ordinal(range[0])} to the ${ordinal(range[1])}` : `on the ${and([...day.values.map(ordinal), ...named])}`;
  return month.isAny ? `${listed} of the month` : listed;
}

function weekdays({ values, special }: Field): string {
  const name = (day: number) => WEEKDAYS[day % 7] ?? "";
  if (!special.length && values.join() === "1,2,3,4,5") return "on weekdays";
  if (!special.length && values.join() === "0,6") return "at weekends";
  const nth = special.map((term) => `the ${term[1] === "L" ? "last" : ORDINALS[Number(term[2]) - 1]} ${name(Number(term[0]))} of the month`);
  const week = [...values].sort((a, b) => ((a + 6) % 7) - ((b + 6) % 7));
  return `on ${and([...week.map((day) => `${name(day)}s`), ...nth])}`;
}

function months({ month, day }: Cron): string {
  if (month.isAny) return "";
  const name = (number: number) => MONTHS[number - 1] ?? "";
  const range = span(month.values);
  const joint = day.isAny ? "in" : "of";
  return range ? `from ${name(range[0])} to ${name(range[1])}` : `${joint} ${and(month.values.map(name))}`;
}
