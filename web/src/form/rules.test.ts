import { describe, expect, it } from "vitest";

import { areComplete, hasOrigin, originOf, type Rule, ruleFor, targetsOf, told, type Transform, withOrigin, withoutEmpty } from "./rules";

const TRANSFORMS: Transform[] = [{ name: "prefix", help: "", arguments: [{ name: "text", kind: "text", required: true }] }];

describe("a rule", () => {
  it("has one origin", () => {
    const rule = { target: "a", source: "x", transforms: [{ name: "upper" }] };
    expect(withOrigin(rule, "template", "{{shop}}")).toEqual({ target: "a", template: "{{shop}}", transforms: [{ name: "upper" }] });
    expect([{}, { source: "" }, { value: null }, { variable: "a" }, { template: "" }].map(originOf)).toEqual(["source", "source", "value", "variable", "template"]);
  });

  it("puts a field under its own name", () => {
    expect(ruleFor("ship.city")).toEqual({ target: "ship.city", source: "ship.city" });
    expect(ruleFor("ship.city", "to")).toEqual({ target: "to.city", source: "ship.city" });
  });

  it("is saved without what is empty", () => {
    const empty = { target: "", source: "", transforms: [{ name: "" }, { name: "upper" }] };
    expect(withoutEmpty(empty)).toEqual({ transforms: [{}, { name: "upper" }] });
    expect(withoutEmpty({ target: "a", value: null })).toEqual({ target: "a", value: null });
    expect([hasOrigin({ target: "a" }), hasOrigin({ value: null })]).toEqual([false, true]);
  });

  it("is told in a line", () => {
    const rules: Rule[] = [{ source: "a.b", transforms: [{ name: "upper" }] }, { value: 3 }, { variable: "shop" }, { template: "x {{y}}" }, {}];
    expect(rules.map(told)).toEqual(["a.b › upper", "3", "{{shop}}", "x {{y}}", "…"]);
  });
});

describe("targetsOf", () => {
  it("is the tree that the rules make", () => {
    const [ship, id, none] = targetsOf([{ target: "ship.city" }, {}, { target: "id" }, { target: "ship.zip" }, { target: "id" }]);
    expect([ship?.path, ship?.children.map((one) => [one.path, one.rules])]).toEqual(["ship", [["ship.city", [0]], ["ship.zip", [3]]]]);
    expect([id?.rules, none?.rules]).toEqual([[2, 4], [1]]);
  });

  it("takes an escaped dot as a part of the key", () => {
    expect(targetsOf([{ target: "a\\.b" }])[0]?.children).toEqual([]);
  });
});

describe("areComplete", () => {
  it("waits for what is missing", () => {
    const of = (...rules: Rule[]) => areComplete(rules, TRANSFORMS);
    expect(of({ target: "a", source: "b" }, { target: "c", value: null })).toBe(true);
    expect([of(), of({ target: "a" }), of({ source: "a" }), of({ target: "a", source: "b", transforms: [{ name: "prefix" }] }), of({ target: "a", source: "b", transforms: [{ name: "" }] })]).toEqual([false, false, false, false, false]);
    expect(of({ target: "a", source: "b", transforms: [{ name: "prefix", text: "x" }] })).toBe(true);
  });
});
