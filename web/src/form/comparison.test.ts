import { describe, expect, it } from "vitest";

import { fitting, readValue, writtenValue } from "./comparison";

describe("the value of a comparison", () => {
  it("is JSON or text, and a list where the operator takes one", () => {
    expect([readValue("equals", "5"), readValue("equals", "a, b"), readValue("equals", "")]).toEqual([5, "a, b", ""]);
    expect([readValue("in", "a, b"), readValue("in", "1,2"), readValue("in", '["a", 1]'), readValue("in", "{{known}}"), readValue("in", "")]).toEqual([["a", "b"], [1, 2], ["a", 1], "{{known}}", []]);
  });

  it("is missing while a range has one end", () => {
    expect([readValue("between", "1"), readValue("between", "1, "), readValue("between", "1, 9")]).toEqual([undefined, undefined, [1, 9]]);
  });

  it("is read again as it is written", () => {
    for (const value of [["a", "b"], [1, "1", true], ["a,b"], [{ a: 1 }]]) expect(readValue("in", writtenValue(value))).toEqual(value);
    for (const value of ["text", 5, false]) expect(readValue("equals", writtenValue(value))).toEqual(value);
  });

  it("fits another operator", () => {
    expect([fitting("in", "paid"), fitting("equals", ["paid", "open"]), fitting("equals", []), fitting("between", "x")]).toEqual([["paid"], "paid", "", undefined]);
  });
});
