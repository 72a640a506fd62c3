import { describe, expect, it } from "vitest";

import { Tree } from "./graph";
import { route, step } from "./made";
import { lastPlace, neighbour, placeAfter, targets } from "./walking";

// 1 > 2, whose route 7 leads to 3 > 4 and route 8 to 5.
const STEPS = [step(1), step(2, 1), step(3, 2, 7), step(4, 3), step(5, 2, 8)];
const TREE = new Tree(STEPS, [route(7, 2, 0), route(8, 2, 1)]);
const at = (id: number) => TREE.byId.get(id) as (typeof STEPS)[number];

describe("neighbour", () => {
  it("goes down, up and to the sides", () => {
    expect(neighbour(TREE, 1, "ArrowDown")).toBe(2);
    expect(neighbour(TREE, 2, "ArrowDown")).toBe(3);
    expect(neighbour(TREE, 3, "ArrowRight")).toBe(5);
    expect(neighbour(TREE, 5, "ArrowLeft")).toBe(3);
    expect(neighbour(TREE, 5, "ArrowUp")).toBe(2);
  });

  it("stays at the edge", () => {
    expect([neighbour(TREE, 1, "ArrowUp"), neighbour(TREE, 4, "ArrowDown"), neighbour(TREE, 3, "ArrowLeft"), neighbour(TREE, 99, "ArrowUp")]).toEqual([undefined, undefined, undefined, undefined]);
  });
});

describe("places", () => {
  it("are after a step, and at the end", () => {
    expect(placeAfter(TREE, at(2))).toEqual({ parent: 2, route: 7 });
    expect(placeAfter(TREE, at(4))).toEqual({ parent: 4 });
    expect(lastPlace(TREE)).toEqual({ parent: 4 });
  });

  it("to move a step to are not below it, nor where it is", () => {
    expect(targets(TREE, at(3)).map(({ place }) => [place.parent, place.route])).toEqual([[1, undefined], [2, 8], [5, undefined]]);
    expect(targets(TREE, at(2))).toEqual([]);
  });

  it("with the same name are told apart by what they follow", () => {
    const twins = new Tree([...STEPS.map((one) => (one.id === 4 || one.id === 5 ? { ...one, name: "twin" } : one)), step(6, 1)], [route(7, 2, 0), route(8, 2, 1)]);
    const labels = targets(twins, twins.byId.get(6) as (typeof STEPS)[number]).map(({ label }) => label);
    expect(labels.filter((one) => one.startsWith("twin"))).toEqual(["twin (after 3)", "twin (after 2, r8)"]);
  });
});
