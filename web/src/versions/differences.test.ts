import { describe, expect, it } from "vitest";

import { align, differences, lines } from "./differences";

describe("differences", () => {
  it("are told by place", () => {
    expect(differences({ a: { b: 1, c: 2 } }, { a: { b: 1, c: 3 }, d: null })).toEqual([
      { field: "a.c", before: 2, after: 3 },
      { field: "d", before: undefined, after: null },
    ]);
  });

  it("keep {} and what is absent apart", () => {
    expect(differences({ a: {} }, {})).toHaveLength(1);
  });

  it("take one more item at the beginning of a list as one change", () => {
    const rules = [{ target: "a" }, { target: "b" }];
    expect(differences({ rules }, { rules: [{ target: "new" }, ...rules] })).toEqual([{ field: "rules.1", before: undefined, after: { target: "new" } }]);
  });

  it("go into an item that changed", () => {
    expect(differences({ rules: [{ t: 1, u: 1 }, { t: 2 }] }, { rules: [{ t: 1, u: 5 }, { t: 2 }] })).toEqual([{ field: "rules.1.u", before: 1, after: 5 }]);
  });

  it("tell an item that was taken out", () => {
    expect(differences({ sizes: [1, 2, 3] }, { sizes: [1, 3] })).toEqual([{ field: "sizes.2", before: 2, after: undefined }]);
  });

  it("take long lists too", () => {
    const long = Array.from({ length: 2_000 }, String);
    expect(align(long, [...long, "x"]).at(-1)).toEqual([undefined, 2_000]);
  });
});

describe("lines", () => {
  it("shows a text with what was taken out and put in", () => {
    expect(lines("a\nb\nc", "a\nB\nc\nd").map(({ kind, text }) => `${kind} ${text}`)).toEqual(["same a", "before b", "after B", "same c", "after d"]);
  });
});
