import { describe, expect, it } from "vitest";

import { result } from "./results";

const counted = { id: 1, iteration: 1, started: 21, success: 19, failure: 1, stopped: 0, partial: 0 };

describe("result", () => {
  it("says how many of those that ended succeeded", () => {
    expect(result({ ...counted, p50: 12, p95: 80 })).toEqual({ ended: 20, failure: 1, p50: 12, p95: 80, share: "95.0 %" });
  });

  it("does not round up to all", () => {
    expect(result({ ...counted, success: 99_999 }).share).toBe("99.9 %");
    expect(result({ ...counted, failure: 0 }).share).toBe("100 %");
  });

  it("has no share where nothing ended", () => {
    expect(result({ ...counted, success: 0, failure: 0 }).share).toBe("—");
  });
});
