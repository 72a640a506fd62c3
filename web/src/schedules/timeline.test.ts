import { describe, expect, it } from "vitest";

import { marks, place } from "./timeline";

const HOUR = 3_600_000;
const at = (text: string) => Date.parse(text);

describe("a line of time", () => {
  it("places instants by their share of it", () => {
    expect(place(at("2026-03-02T16:00Z"), { from: at("2026-03-02T10:00Z"), to: at("2026-03-03T10:00Z") })).toBe(25);
  });

  it("has its marks at whole hours of the zone", () => {
    const from = at("2026-03-02T10:20Z");
    const found = marks({ from, to: from + 24 * HOUR }, "Asia/Kathmandu", 8);
    expect(found.slice(0, 2).map((one) => new Date(one).toISOString())).toEqual(["2026-03-02T12:15:00.000Z", "2026-03-02T15:15:00.000Z"]);
    expect(found).toHaveLength(8);
  });

  it("marks days on a longer line", () => {
    const from = at("2026-03-02T10:20Z");
    expect(marks({ from, to: from + 7 * 24 * HOUR }, "Europe/Berlin", 8).map((one) => new Date(one).toISOString().slice(11, 16))).toEqual(Array(7).fill("23:00"));
  });
});
