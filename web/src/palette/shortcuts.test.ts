import { describe, expect, it } from "vitest";

import { press } from "./shortcuts";

const PLACES = new Map([
  ["f", "/flows"],
  ["n", "/notification-groups"],
]);
const key = (key: string, held = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, ...held });

describe("shortcuts", () => {
  it("Ctrl or Cmd and K opens the palette, also from a field", () => {
    for (const held of [{ ctrlKey: true }, { metaKey: true }]) expect(press(key("k", held), true, undefined, PLACES, 0)).toEqual({ does: "palette" });
    expect(press(key("k"), false, undefined, PLACES, 0)).toEqual({});
  });

  it("a key that is typed into a field is the field's", () => {
    for (const one of ["g", "n", "/", "?"]) expect(press(key(one), true, undefined, PLACES, 0)).toEqual({});
  });

  it("what the browser does with a key that is held stays its own", () => {
    expect(press(key("n", { ctrlKey: true }), false, undefined, PLACES, 0)).toEqual({});
    expect(press(key("k", { ctrlKey: true, altKey: true }), false, undefined, PLACES, 0)).toEqual({});
  });

  it("g waits for a place, for a moment", () => {
    const { waiting } = press(key("g"), false, undefined, PLACES, 0);
    expect(press(key("f"), false, waiting, PLACES, 1_000)).toEqual({ does: { to: "/flows" } });
    expect(press(key("n"), false, waiting, PLACES, 1_000)).toEqual({ does: { to: "/notification-groups" } });
    expect(press(key("x"), false, waiting, PLACES, 1_000)).toEqual({});
    expect(press(key("n"), false, waiting, PLACES, 2_000)).toEqual({ does: "new" });
  });
});
