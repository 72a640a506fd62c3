import { describe, expect, it } from "vitest";

import { copyOf, copyOfSome, isBeside, moved, read, written } from "./copies";
import { Tree } from "./graph";
import { route, step } from "./made";

// 1 > 2, whose route 7 leads to 3 > 4 and route 8 to 5 and 6.
const STEPS = [step(1), step(2, 1, undefined, { position: { x: 9, y: 9 } }), step(3, 2, 7), step(4, 3), step(5, 2, 8), step(6, 2, 8)];
const TREE = new Tree(STEPS, [route(8, 2, 1), route(7, 2, 0)]);
const at = (id: number) => TREE.byId.get(id) as (typeof STEPS)[number];

describe("copyOf", () => {
  it("takes along what hangs on the routes of a step, each after its parent", () => {
    const copied = copyOf(TREE, at(2));
    expect(copied.map(({ id, parent, route: on }) => [id, parent, on])).toEqual([
      [2, undefined, undefined],
      [3, 2, 7],
      [4, 3, undefined],
      [5, 2, 8],
      [6, 2, 8],
    ]);
    expect(copied[0]?.routes.map(({ name }) => name)).toEqual(["r7", "r8"]);
  });

  it("leaves what merely follows, unless all is asked for", () => {
    expect(copyOf(TREE, at(3)).map(({ id }) => id)).toEqual([3]);
    expect(copyOf(TREE, at(3), true).map(({ id }) => id)).toEqual([3, 4]);
  });

  it("knows what is put beside another one", () => {
    const copied = copyOf(TREE, at(2));
    expect(copied.filter((one) => isBeside(copied, one)).map(({ id }) => id)).toEqual([6]);
  });
});

describe("copyOfSome", () => {
  it("takes just these steps, each after the nearest of them that it follows", () => {
    const copied = copyOfSome(TREE, [1, 2, 4, 6].map(at));
    expect(copied.map(({ id, parent, route: on }) => [id, parent, on])).toEqual([
      [2, undefined, undefined],
      [4, 2, 7],
      [6, 2, 8],
    ]);
  });

  it("keeps apart what does not follow each other", () => {
    const copied = copyOfSome(TREE, [3, 5].map(at));
    expect(copied.map(({ parent }) => parent)).toEqual([undefined, undefined]);
    expect(copied.filter((one) => isBeside(copied, one)).map(({ id }) => id)).toEqual([5]);
    expect(read(written(moved(copied)))).toHaveLength(2);
  });
});

describe("read", () => {
  it("reads what was written, in another flow too", () => {
    const copied = moved(copyOf(TREE, at(2)));
    expect(read(written(copied))).toEqual(JSON.parse(JSON.stringify(copied)));
    expect(copied.every((one) => one.position === undefined)).toBe(true);
  });

  it("takes no other text", () => {
    const loose = JSON.stringify({ kind: "flowloom/steps", steps: [{ ...copyOf(TREE, at(3))[0] }, { ...copyOf(TREE, at(4))[0], parent: 99 }] });
    const trigger = written(copyOf(TREE, at(1)));
    expect(["", "x", "null", "[]", '{"kind":"flowloom/steps","steps":[]}', '{"kind":"flowloom/steps","steps":[{}]}', loose, trigger].map(read)).toEqual(Array(8).fill(undefined));
  });
});
