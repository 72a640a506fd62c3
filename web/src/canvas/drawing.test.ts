import { describe, expect, it } from "vitest";

import { only } from "./choosing";
import { draw, kept } from "./drawing";
import { Tree } from "./graph";
import { route, step } from "./made";

const STEPS = [step(1), step(2, 1), step(3, 2, 7)];
const ROUTES = [route(7, 2, 0), route(8, 2, 1)];
const add = () => undefined;
const of = (steps = STEPS, more = {}) => draw(new Tree(steps, ROUTES), { types: new Map(), choice: only(undefined), onAdd: add, ...more });

describe("draw", () => {
  it("draws steps, open ends and the lines between them", () => {
    const { nodes, edges } = of();
    expect(nodes.map(({ id }) => id)).toEqual(["1", "2", "3", "end-2/8", "end-3/"]);
    expect(edges.map(({ id, reconnectable }) => [id, reconnectable])).toEqual([["1-2", "source"], ["2-3", "source"], ["2-end-2/8", false], ["3-end-3/", false]]);
  });

  it("puts one step in the order of focus", () => {
    expect(of(STEPS, { current: 2 }).nodes.filter((node) => node.domAttributes?.tabIndex === 0).map(({ id }) => id)).toEqual(["2"]);
  });
});

describe("kept", () => {
  it("draws only anew what has changed", () => {
    const before = of().nodes;
    const after = kept(before, of([STEPS[0], { ...STEPS[1], name: "other" }, STEPS[2]] as typeof STEPS, { choice: only(3) }).nodes);
    expect(after.map((node, index) => node === before[index])).toEqual([true, false, false, true, true]);
  });
});
