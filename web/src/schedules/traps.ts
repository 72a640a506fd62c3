// What in a cron expression often means something else than was meant. Pure.
import { type Cron, daysIn, type Field, isEither, MONTHS } from "./cron";
import { and, ordinal } from "./words";

const two = (number: number) => String(number).padStart(2, "0");
// A leap year: all days that there ever are.
const LEAP = 2024;
const FEW_DAYS = 5;

export function traps(cron: Cron): string[] {
  return [unevenMinutes(cron), unevenHours(cron), eachMinute(cron), unevenDays(cron), either(cron), onlyBoth(cron), missingDays(cron)].filter((one) => one !== undefined);
}

const stepOf = ({ text }: Field) => Number(/^\*\/(\d+)$/.exec(text)?.[1] ?? 0);

function unevenMinutes({ minute }: Cron): string | undefined {
  const step = stepOf(minute);
  if (step < 2 || 60 % step === 0) return undefined;
  const rest = 60 - (minute.values.at(-1) ?? 0);
  if (minute.values.length === 1) return `${minute.text} fires at :00 only; write 0 instead.`;
  return `${minute.text} counts anew in every hour: it fires at ${and(minute.values.map((one) => `:${two(one)}`))}, so the gaps are ${step} and ${rest} minutes. Steps that divide 60 are even.`;
}

function unevenHours({ hour }: Cron): string | undefined {
  const step = stepOf(hour);
  if (step < 2 || 24 % step === 0) return undefined;
  const rest = 24 - (hour.values.at(-1) ?? 0);
  return `${hour.text} counts anew at every midnight: it fires in the hours ${and(hour.values.map(two))}, so the gaps are ${step} and ${rest} hours. Steps that divide 24 are even.`;
}

function eachMinute({ minute, hour }: Cron): string | undefined {
  if (!minute.isAny || hour.isAny) return undefined;
  return `It fires 60 times in ${hour.values.length === 1 ? `the hour ${two(hour.values[0] ?? 0)}` : "each of its hours"}. For once an hour write 0 for the minute.`;
}

function unevenDays({ day }: Cron): string | undefined {
  if (stepOf(day) < 2) return undefined;
  return `${day.text} counts anew on the 1st of every month: the ${ordinal(day.values.at(-1) ?? 1)} and the 1st stand close together.`;
}

function either(cron: Cron): string | undefined {
  const { day, weekday } = cron;
  if (!isEither(cron) || day.isAny || weekday.isAny) return undefined;
  return "With a day of the month and a day of the week, either of them is enough: it fires on both, not only where they meet.";
}

function onlyBoth(cron: Cron): string | undefined {
  const { day, weekday } = cron;
  if (isEither(cron) || day.isAny || weekday.isAny) return undefined;
  return "Since one of the two begins with *, the day of the month and the day of the week must both fit.";
}

/** Days that some of the months do not have; only where nothing else makes it fire. */
function missingDays(cron: Cron): string | undefined {
  const { day, month } = cron;
  if (day.special.length || day.isAny || (isEither(cron) && !cron.weekday.isAny) || day.values.length > FEW_DAYS) return undefined;
  const latest = day.values.at(-1) ?? 0;
  const [shortest = 0] = month.values.map((one) => daysIn(LEAP, one)).sort((a, b) => a - b);
  if (month.values.every((one) => (day.values[0] ?? 0) > daysIn(LEAP, one))) return `It never fires: ${and(month.values.map((one) => MONTHS[one - 1] ?? ""))} has no ${ordinal(day.values[0] ?? 0)}.`;
  const instead = " For the last day of each month write L.";
  if (latest > shortest) return `Not all of its months have a ${ordinal(latest)}; in the others it does not fire then.${instead}`;
  if (latest === 29 && month.values.includes(2)) return `February has a 29th in leap years only.${month.values.length > 1 ? instead : ""}`;
  return undefined;
}
