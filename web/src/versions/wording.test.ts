import { describe, expect, it } from "vitest";

import { condition, worded } from "./wording";

const large = { field: "total", operator: "greater", value: 100 };
const near = { field: "country", operator: "in", value: ["DE", "FR"] };

describe("a condition", () => {
  it.each([
    [{ all: [large, near] }, "total greater 100 and country in DE, FR"],
    [{ any: [large, { all: [near, large] }] }, "total greater 100 or (country in DE, FR and total greater 100)"],
    [{ not: [large, near] }, "not (total greater 100 or country in DE, FR)"],
    [{ not: large }, "not total greater 100"],
    [{ field: "name", operator: "is_empty" }, "name is empty"],
    [{ operator: "equals", value: "1" }, 'the record equals "1"'],
    [{ field: "name", operator: "equals", value: "Ann and Bob" }, 'name equals "Ann and Bob"'],
  ])("reads %j", (value, words) => {
    expect(condition(value)).toBe(words);
  });
});

describe("what is set of a step", () => {
  it("has its rules by target, with what each takes", () => {
    const rules = [
      { target: "id", source: "number", transforms: [{ name: "prefix", text: "SO-" }, { name: "trim" }] },
      { target: "shop", variable: "shop" },
      { target: "note", template: "[[payload.id]]" },
      { target: "id", value: null },
    ];
    expect(worded({ rules })).toEqual({ rules: { id: "number › prefix (text SO-) › trim", shop: "{{shop}}", note: 'text "[[payload.id]]"', "id (2)": "constant null" } });
  });

  it("has its conditions in words wherever they stand, and everything else as it is", () => {
    expect(worded({ where: large, on: [{ when: near, then: "stop" }], body: large, sizes: [1] })).toEqual({ where: "total greater 100", on: [{ when: "country in DE, FR", then: "stop" }], body: large, sizes: [1] });
  });
});
