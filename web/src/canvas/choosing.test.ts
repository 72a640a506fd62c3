import { describe, expect, it } from "vitest";

import type { Step } from "../api/contract";
import { extended, groupOf, only, several, survivor, toggled } from "./choosing";
import { Tree } from "./graph";
import { step } from "./made";

const tree = new Tree([step(1), step(2, 1), step(3, 2), step(4, 3)], []);
const at = (...ids: number[]) => ids.map((id) => tree.byId.get(id) as Step);

describe("a choice of several steps", () => {
  it("begins with the one that is open", () => {
    expect([...toggled(only(2), 3).group]).toEqual([2, 3]);
    expect(toggled(only(2), 3).open).toBeUndefined();
    expect([...extended(only(undefined), 2, 3).group]).toEqual([2, 3]);
  });

  it("leaves out what is chosen a second time", () => {
    expect([...toggled(several([2, 3]), 2).group]).toEqual([3]);
  });

  it("is in run order, of what is there", () => {
    expect(groupOf(tree, several([4, 9, 2])).map(({ id }) => id)).toEqual([2, 4]);
  });

  it("leads to what is above it once it is gone", () => {
    expect(survivor(tree, at(3, 4))).toBe(2);
    expect(survivor(tree, at(2, 3))).toBe(1);
  });
});
