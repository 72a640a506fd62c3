import { describe, expect, it } from "vitest";

import { hours, inWords, sum, total } from "./results";

const NOW = Date.parse("2026-03-02T10:30:00Z");
const at = (starts_at: string, ends = {}) => ({ starts_at, success: 0, partial: 0, stopped: 0, failure: 0, ...ends });

describe("hours", () => {
  it("are the last 24, this one included", () => {
    const found = hours([], NOW);
    expect(found).toHaveLength(24);
    expect(found[0]?.starts_at).toBe("2026-03-01T11:00:00.000Z");
    expect(found[23]?.starts_at).toBe("2026-03-02T10:00:00.000Z");
  });

  it("hold what the server counted, however it writes the time", () => {
    const found = hours([at("2026-03-02T09:00:00.000000Z", { success: 2, failure: 1 })], NOW);
    expect(total(sum(found))).toBe(3);
    expect(found[22]).toMatchObject({ success: 2, failure: 1 });
  });
});

describe("in words", () => {
  it("only what happened is said", () => {
    expect(inWords({ success: 1200, partial: 0, stopped: 0, failure: 1 })).toBe(`${(1200).toLocaleString()} succeeded, 1 failed`);
    expect(inWords({ success: 0, partial: 0, stopped: 0, failure: 0 })).toBe("no run");
  });
});
