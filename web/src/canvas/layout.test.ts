import { describe, expect, it } from "vitest";

import type { Route, Step } from "../api/contract";
import { Tree } from "./graph";
import { arrange, STEP } from "./layout";
import { route, step } from "./made";

function overlaps(points: Array<{ x: number; y: number }>): boolean {
  return points.some((a, at) => points.slice(at + 1).some((b) => Math.abs(a.x - b.x) < STEP.width && Math.abs(a.y - b.y) < STEP.height));
}

describe("arrange", () => {
  it("puts a chain in one column, each below the one before", () => {
    const { steps } = arrange(new Tree([step(1), step(2, 1), step(3, 2)], []));
    expect([...steps.values()].map(({ x }) => x)).toEqual([0, 0, 0]);
    expect([...steps.values()].map(({ y }) => y)).toEqual([0, 120, 240]);
  });

  it("lets no two of 200 steps overlap, whatever branches where", () => {
    const steps = [step(1)];
    const routes: Route[] = [];
    for (let id = 2; id <= 200; id += 1) {
      const parent = Math.max(1, Math.floor(id / 3));
      routes.push(route(id, parent, id));
      steps.push(step(id, parent, id));
    }
    const layout = arrange(new Tree(steps, routes));
    expect(layout.steps.size).toBe(200);
    expect(overlaps([...layout.steps.values()])).toBe(false);
  });

  it("offers an open end on each route that nothing hangs on, and at the end of a chain", () => {
    const tree = new Tree([step(1), step(2, 1), step(3, 2, 7)], [route(7, 2, 0), route(8, 2, 1)]);
    expect([...arrange(tree).ends.keys()]).toEqual(["3/", "2/8"]);
  });

  it("keeps a dragged step where it is and takes along what hangs on it", () => {
    const { steps } = arrange(new Tree([step(1), step(2, 1, undefined, { position: { x: 500, y: 90 } }), step(3, 2)], []));
    expect(steps.get(2)).toEqual({ x: 500, y: 90 });
    expect(steps.get(3)).toEqual({ x: 500, y: 210 });
  });

  it("makes room where a step was put between two that have places", () => {
    const places = [step(1), step(2, 1, undefined, { position: { x: 0, y: 120 } }), step(3, 2, undefined, { position: { x: 0, y: 240 } })];
    const between = [step(1), step(4, 1), { ...places[1], parent_id: 4 } as Step, places[2] as Step];
    const { steps } = arrange(new Tree(between, []));
    expect([1, 4, 2, 3].map((id) => steps.get(id)?.y)).toEqual([0, 120, 240, 360]);
  });
});
