import { describe, expect, it } from "vitest";

import { pathsOf, recordsAt, shapeOf } from "./sample";

const ORDER = { id: 7, ship: { city: "Delft" }, lines: [{ sku: "a" }, { sku: "b", price: 3 }], tags: ["x"], "a.b": null };

describe("shapeOf", () => {
  it("names each value by its path, with a star through lists", () => {
    expect(pathsOf(shapeOf(ORDER))).toEqual(["id", "ship", "ship.city", "lines", "lines.*.sku", "lines.*.price", "tags", "a\\.b"]);
  });

  it("knows of a list what any of its items holds", () => {
    expect(pathsOf(shapeOf([{ a: 1 }, { b: null }, { b: { c: 2 } }]))).toEqual(["a", "b", "b.c"]);
  });

  it("shows a value of the sample beside its path", () => {
    expect(shapeOf({ text: "é".repeat(50), tags: [1, 2], lines: [{}] }).map((one) => one.example)).toEqual([`"${"é".repeat(38)}…`, "[1,2]", "[1]"]);
  });

  it("has nothing to say of a text or of nothing", () => {
    expect([shapeOf("x"), shapeOf(undefined), shapeOf(null), shapeOf([])]).toEqual([[], [], [], []]);
  });
});

describe("recordsAt", () => {
  it("is what a step works on", () => {
    expect(recordsAt(ORDER, undefined)).toBe(ORDER);
    expect(recordsAt(ORDER, "lines")).toEqual(ORDER.lines);
    expect(recordsAt(ORDER, "lines.*.sku")).toEqual(["a", "b"]);
    expect(recordsAt([ORDER, ORDER], "*.lines")).toHaveLength(4);
    expect(recordsAt(ORDER, "no.thing")).toEqual([]);
  });
});
