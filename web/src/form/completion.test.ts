import { describe, expect, it } from "vitest";

import { complete, filled, placeholders } from "./completion";

const KNOWN = { variables: ["shop", "since"], paths: ["id", "ship.city"], meta: ["page"] };
/** Complete where the bar stands. */
const at = (marked: string) => {
  const caret = marked.indexOf("|");
  return complete(marked.replace("|", ""), caret, KNOWN);
};
const become = (marked: string, option: string) => {
  const found = at(marked);
  return found && filled(marked.replace("|", ""), found, option).text;
};

describe("complete", () => {
  it("offers variables in braces, paths and meta in brackets", () => {
    expect(at("a {{|")?.options).toEqual(["{{shop}}", "{{since}}"]);
    expect(at("[[|")?.options).toEqual(["[[payload]]", "[[payload.id]]", "[[payload.ship.city]]", "[[meta.page]]"]);
    expect(placeholders(KNOWN)).toHaveLength(6);
  });

  it("narrows by what is typed, what begins so before what holds it", () => {
    expect(at("{{s|")?.options).toEqual(["{{shop}}", "{{since}}"]);
    expect(at("{{in|")?.options).toEqual(["{{since}}"]);
    expect(at("[[city|")?.options).toEqual(["[[payload.ship.city]]"]);
  });

  it("offers nothing elsewhere", () => {
    expect([at("shop|"), at("{{shop}}|"), at("{sh|"), at("{{nothing|")]).toEqual([undefined, undefined, undefined, undefined]);
  });

  it("replaces the whole placeholder, and nothing behind it", () => {
    expect(become("x {{sh|", "{{shop}}")).toBe("x {{shop}}");
    expect(become("x {{|}} y", "{{shop}}")).toBe("x {{shop}} y");
    expect(become("x {{s|ince}} y", "{{shop}}")).toBe("x {{shop}} y");
    expect(become("{{s| and more", "{{shop}}")).toBe("{{shop}} and more");
    expect(become('"[[|"', "[[payload.id]]")).toBe('"[[payload.id]]"');
  });
});
