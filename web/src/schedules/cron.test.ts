import { describe as suite, expect, it } from "vitest";

import { changes, struck, wall } from "./clock";
import { type Cron, namesDay, parse } from "./cron";
import { traps } from "./traps";
import { describe } from "./words";

const read = (expression: string): Cron => {
  const cron = parse(expression);
  if (!cron) throw new Error(`cannot read ${expression}`);
  return cron;
};
const said = (expression: string) => describe(read(expression));
const warned = (expression: string) => traps(read(expression)).join(" ");

suite("parse", () => {
  it.each(["", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5-1 * * * *", "*/0 * * * *", "a * * * *", "@daily", "1/2/3 * * * *", "*-5 * * * *", "1- * * * *", "* * * * MONDAY"])("does not read %j", (expression) => {
    expect(parse(expression)).toBeUndefined();
  });

  it("reads lists, ranges, steps, names, and a step that begins somewhere", () => {
    expect(read("1,5-7 5/6 * jan-MAR mon,7").minute.values).toEqual([1, 5, 6, 7]);
    expect(read("1 5/6 * jan-MAR mon,7").hour.values).toEqual([5, 11, 17, 23]);
    expect(read("1 5/6 * jan-MAR mon,7").month.values).toEqual([1, 2, 3]);
    expect(read("1 5/6 * jan-MAR mon,7").weekday.values).toEqual([0, 1]);
    expect(read("* * * * 0-7").weekday.isAny).toBe(true);
  });
});

suite("describe", () => {
  it.each([
    ["* * * * *", "Every minute"],
    ["*/15 * * * *", "Every 15 minutes"],
    ["*/45 * * * *", "At :00 and :45 of every hour"],
    ["0 * * * *", "Every hour, on the hour"],
    ["20 * * * *", "At :20 of every hour"],
    ["30 2 * * *", "At 02:30 every day"],
    ["30 2 * * 1-5", "At 02:30 on weekdays"],
    ["0 6,18 * * 0,6", "At 06:00 and 18:00 at weekends"],
    ["0 9 * * MON,WED,SUN", "At 09:00 on Mondays, Wednesdays and Sundays"],
    ["30 */2 * * *", "Every 2 hours at :30"],
    ["*/15 9-17 * * 1-5", "Every 15 minutes from 09:00 to 17:45 on weekdays"],
    ["* 2 * * *", "Every minute from 02:00 to 02:59 every day"],
    ["*/5 1,5,9 * * *", "Every 5 minutes of the hours 01, 05 and 09 every day"],
    ["0 0 1 * *", "At 00:00 on the 1st of the month"],
    ["0 0 1,15,22 * *", "At 00:00 on the 1st, 15th and 22nd of the month"],
    ["0 0 1-7 * *", "At 00:00 from the 1st to the 7th of the month"],
    ["0 0 24 12 *", "At 00:00 on the 24th of December"],
    ["0 0 * 6-8 *", "At 00:00 every day from June to August"],
    ["0 0 * 1,7 *", "At 00:00 every day in January and July"],
    ["0 0 L * *", "At 00:00 on the last day of the month"],
    ["0 0 LW * *", "At 00:00 on the last weekday of the month"],
    ["0 0 * * 5L", "At 00:00 on the last Friday of the month"],
    ["0 0 * * 1#2", "At 00:00 on the second Monday of the month"],
    ["0 0 13 * 5", "At 00:00 on the 13th of the month, or on Fridays"],
    ["0 0 */2 * 5", "At 00:00 on the 1st, 3rd, 5th, 7th, 9th, 11th, 13th, 15th, 17th, 19th, 21st, 23rd, 25th, 27th, 29th and 31st of the month, but only on Fridays"],
  ])("says %j as %j", (expression, words) => {
    expect(said(expression)).toBe(words);
  });
});

suite("traps", () => {
  it.each(["* * * * *", "*/15 * * * *", "0 */6 * * *", "30 2 * * 1-5", "0 0 1 * *", "0 0 L * *", "0 0 28 2 *"])("has nothing to say of %j", (expression) => {
    expect(traps(read(expression))).toEqual([]);
  });

  it.each([
    ["*/45 * * * *", ":00 and :45, so the gaps are 45 and 15 minutes"],
    ["*/7 * * * *", "the gaps are 7 and 4 minutes"],
    ["0 */7 * * *", "the hours 00, 07, 14 and 21, so the gaps are 7 and 3 hours"],
    ["* 2 * * *", "60 times in the hour 02"],
    ["0 0 */2 * *", "the 31st and the 1st stand close together"],
    ["0 0 13 * 5", "either of them is enough"],
    ["0 0 */2 * 5", "must both fit"],
    ["0 0 31 * *", "Not all of its months have a 31st"],
    ["0 0 30 2 *", "It never fires: February has no 30th."],
    ["0 0 31 4 *", "It never fires: April has no 31st."],
    ["0 0 29 2 *", "leap years only"],
    ["0 0 29 * *", "leap years only"],
  ])("warns of %j: %s", (expression, words) => {
    expect(warned(expression)).toContain(words);
  });
});

suite("namesDay", () => {
  it("takes either day, unless one begins with a star", () => {
    expect(namesDay(read("0 0 13 * 5"), 2026, 2, 6)).toBe(true);
    expect(namesDay(read("0 0 */2 * 5"), 2026, 2, 6)).toBe(false);
    expect(namesDay(read("0 0 */2 * 5"), 2026, 2, 13)).toBe(true);
  });

  it("knows the last day, the last weekday, the last and the second Friday", () => {
    expect([27, 28].map((day) => namesDay(read("0 0 L * *"), 2026, 2, day))).toEqual([false, true]);
    expect([27, 28].map((day) => namesDay(read("0 0 LW * *"), 2026, 2, day))).toEqual([true, false]);
    expect([20, 27].map((day) => namesDay(read("0 0 * * 5L"), 2026, 2, day))).toEqual([false, true]);
    expect([6, 13].map((day) => namesDay(read("0 0 * * 5#2"), 2026, 2, day))).toEqual([false, true]);
  });
});

suite("clock changes", () => {
  const from = Date.UTC(2026, 0, 1);

  it("are found to the minute", () => {
    expect(changes("Europe/Berlin", from, 366).map(({ at }) => new Date(at).toISOString())).toEqual(["2026-03-29T01:00:00.000Z", "2026-10-25T01:00:00.000Z"]);
    expect(changes("UTC", from, 366)).toEqual([]);
    expect(wall("Asia/Kathmandu", from)).toBe("2026-01-01 05:45");
  });

  it("leave out 02:30 in spring, and bring it twice in autumn", () => {
    const found = struck(read("30 2 * * *"), "Europe/Berlin", from);
    expect(found.map(({ kind, day, times, from: begin, to }) => [kind, day, times, begin, to])).toEqual([
      ["gap", "2026-03-29", ["02:30"], "02:00", "03:00"],
      ["repeat", "2026-10-25", ["02:30"], "03:00", "02:00"],
    ]);
  });

  it("do not strike other times, other days, or an interval", () => {
    expect(struck(read("30 4 * * *"), "Europe/Berlin", from)).toEqual([]);
    expect(struck(read("30 2 * * 1-5"), "Europe/Berlin", from)).toEqual([]);
    expect(struck(read("*/15 * * * *"), "Europe/Berlin", from)).toEqual([]);
  });

  it("may be of half an hour", () => {
    const found = struck(read("*/15 1-2 * * *"), "Australia/Lord_Howe", from);
    expect(found.map(({ kind, times }) => [kind, times])).toEqual([
      ["repeat", ["01:30", "01:45"]],
      ["gap", ["02:00", "02:15"]],
    ]);
  });
});
