import { describe, expect, it } from "vitest";

import type { Graph, Step, Version } from "../api/contract";
import { compare, differences, flatten } from "./compare";

const step = (key: string, more: Partial<Step> = {}): Step => ({
  id: 0,
  key,
  flow_version_id: 1,
  microservice: "delay",
  name: key,
  config: {},
  is_enabled: true,
  variables: {},
  ...more,
});
const graph = (steps: Step[]): Graph => ({ steps, routes: [], version: {} as Version });
const side = (steps: Step[], variables = {}) => ({ graph: graph(steps), variables, schedules: [] });

describe("compare", () => {
  it("finds nothing between a version and its copy, whatever the ids and places", () => {
    const before = side([step("a", { id: 1, position: { x: 1, y: 2 } })]);
    const after = side([step("a", { id: 50, position: { x: 300, y: 2 } })]);
    expect(compare(before, after).steps).toEqual([]);
  });

  it("tells added, removed and changed steps apart by key", () => {
    const found = compare(side([step("a"), step("b", { config: { seconds: 1 } })]), side([step("b", { config: { seconds: 2 } }), step("c")]));
    expect(found.steps.map(({ key, kind }) => [key, kind])).toEqual([
      ["b", "changed"],
      ["c", "added"],
      ["a", "removed"],
    ]);
    expect(found.steps[0]?.fields).toEqual([{ field: "seconds", before: 1, after: 2 }]);
  });

  it("tells a step that hangs elsewhere", () => {
    const before = side([step("a", { id: 1 }), step("bb", { id: 2, parent_id: 1 })]);
    const after = side([step("a", { id: 1 }), step("bb", { id: 2 })]);
    expect(compare(before, after).steps[0]?.fields).toEqual([{ field: "comes after", before: "a", after: undefined }]);
  });

  it("compares variables by name", () => {
    expect(compare(side([], { shop: "nl" }), side([], { shop: "be" })).variables).toEqual([{ field: "shop", before: "nl", after: "be" }]);
  });
});

describe("flatten and differences", () => {
  it("keep empty trees as values, so that {} and absent differ", () => {
    expect(flatten({ a: {}, b: { c: [1] } }, "")).toEqual({ a: {}, "b.c.0": 1 });
    expect(differences({ a: {} }, {})).toHaveLength(1);
  });
});
