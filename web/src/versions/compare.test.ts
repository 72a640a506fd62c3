import { describe, expect, it } from "vitest";

import type { Graph, Schedule, Step, Version } from "../api/contract";
import { compare } from "./compare";

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
const side = (steps: Step[], variables = {}) => ({ graph: graph(steps), variables, secrets: [] as string[], schedules: [] as Schedule[] });

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
    expect(compare(before, after).steps).toEqual([{ key: "bb", name: "bb", kind: "rewired", fields: [{ field: "comes after", before: "a", after: undefined }] }]);
  });

  it("compares variables by name", () => {
    expect(compare(side([], { shop: "nl" }), side([], { shop: "be" })).variables).toEqual([{ field: "shop", before: "nl", after: "be" }]);
  });

  it("tells that there is a secret more, and never what it is", () => {
    expect(compare(side([]), { ...side([]), secrets: ["token"] }).variables).toEqual([{ field: "token", before: undefined, after: "a secret" }]);
  });

  it("compares schedules by when they fire", () => {
    const nightly = { cron_string: "30 2 * * *", timezone: "UTC", overlap: "queue", catch_up: "latest", jitter_seconds: 0, dst_gap: "next", dst_repeat: "first" } as Schedule;
    expect(compare({ ...side([]), schedules: [nightly] }, { ...side([]), schedules: [nightly] }).schedules).toEqual([]);
    const found = compare({ ...side([]), schedules: [nightly] }, { ...side([]), schedules: [nightly, nightly] }).schedules;
    expect(found.map(({ field }) => field)).toEqual(["30 2 * * *, UTC (2)"]);
  });
});
