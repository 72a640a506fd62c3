import { describe, expect, it } from "vitest";

import { type Entry, fit, fitting, runOf } from "./entries";

const entry = (label: string): Entry => ({ id: label, label, kind: "Page", icon: "home", go: () => undefined });

describe("what is typed", () => {
  it("fits best at the beginning, then at a word", () => {
    expect([fit("Flows", "FL"), fit("New flow", "fl"), fit("Overflow", "fl"), fit("Runs", "fl")]).toEqual([3, 2, 1, -1]);
    expect(fitting([entry("Overflow"), entry("New flow"), entry("Flows"), entry("Runs")], "fl").map(({ label }) => label)).toEqual(["Flows", "New flow", "Overflow"]);
  });

  it("finds all while it is nothing", () => {
    expect(fitting([entry("B"), entry("A")], "").map(({ label }) => label)).toEqual(["B", "A"]);
  });

  it.each([
    ["12", 12],
    ["#12", 12],
    ["run 12", 12],
    ["0", undefined],
    ["12a", undefined],
    ["", undefined],
  ])("%j names the run %j", (typed, run) => {
    expect(runOf(typed)).toBe(run);
  });
});
