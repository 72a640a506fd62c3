import { describe, expect, it } from "vitest";

import { isWrittenAsJson, parse, written } from "./json";
import { same } from "./same";

describe("parse", () => {
  it("takes JSON as what it is and anything else as text", () => {
    expect(["", " ", "1", '"a"', "{", "a", "null", '{"a": 1}'].map(parse)).toEqual([undefined, undefined, 1, "a", "{", "a", null, { a: 1 }]);
  });

  it("reads again what is written", () => {
    for (const value of [{ a: [1, "x"] }, [], "text", 3, true]) expect(parse(written(value))).toEqual(value);
  });
});

describe("isWrittenAsJson", () => {
  it("tells a list from a placeholder", () => {
    expect(["{", " [1", "[[1]]", '[["a"]]', "[[payload.id]]", "{{shop}}", "text", ""].map(isWrittenAsJson)).toEqual([true, true, true, true, false, false, false, false]);
  });
});

describe("same", () => {
  it("is blind to the order of keys and to what is undefined, and to nothing else", () => {
    expect(same({ a: 1, b: [{ c: null }] }, { b: [{ c: null }], a: 1, d: undefined })).toBe(true);
    expect([same([1, 2], [2, 1]), same({}, []), same({ a: 1 }, { b: 1 }), same(1, "1"), same(null, {})]).toEqual([false, false, false, false, false]);
  });
});
