import { describe, expect, it } from "vitest";

import { check, merged, REQUIRED } from "./check";
import type { Schema } from "./schema";

const SCHEMA: Schema = {
  type: "object",
  required: ["size", "rules"],
  properties: {
    size: { type: "integer", minimum: 1, maximum: 10 },
    mode: { enum: ["all", "first"] },
    name: { anyOf: [{ type: "string", maxLength: 3 }, { type: "null" }] },
    rules: { type: "array", items: { type: "object", required: ["target"], properties: { target: { type: "string" } } } },
  },
};
const of = (values: Record<string, unknown>) => check(SCHEMA, values, SCHEMA);

describe("check", () => {
  it("names what is missing, in lists too", () => {
    expect(of({})).toEqual({ size: [REQUIRED], rules: [REQUIRED] });
    expect(of({ size: 1, rules: [{ target: "a" }, {}] })).toEqual({ "rules.1.target": [REQUIRED] });
  });

  it("names what cannot be", () => {
    expect(of({ size: 0, mode: "some", name: "long", rules: [] })).toEqual({
      size: ["Size is 1 or more."],
      mode: ["Mode is one of all, first."],
      name: ["Name has 3 characters at most."],
    });
    expect(of({ size: 1.5, rules: [] })).toEqual({ size: ["Size is a whole number."] });
  });
});

describe("merged", () => {
  it("drops what was missing when it was saved and is there now", () => {
    const server = { size: [REQUIRED], "rules.0.target": [REQUIRED], where: ["Unknown operator."] };
    expect(merged({}, server, { size: 2, rules: [{}] })).toEqual({ "rules.0.target": [REQUIRED], where: ["Unknown operator."] });
  });
});
