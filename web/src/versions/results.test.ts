import { describe, expect, it } from "vitest";

import type { Metric } from "../api/contract";
import { results } from "./results";

const metric = (version: number, type: Metric["type"], key: string, value: number): Metric => ({ id: 1, flow_id: 1, flow_version_id: version, iteration: 1, interval: "day", starts_at: "2026-03-02T00:00:00Z", type, key, value });

describe("results", () => {
  it("adds up the days of each version and takes the slowest day", () => {
    const found = results([metric(1, "runs", "success", 10), metric(1, "runs", "success", 9), metric(1, "runs", "failure", 1), metric(1, "duration", "p95", 20), metric(1, "duration", "p95", 80), metric(2, "runs", "success", 3)]);
    expect(found.get(1)).toEqual({ ended: 20, success: 19, failure: 1, p50: undefined, p95: 80, share: "95.0 %" });
    expect(found.get(2)?.share).toBe("100 %");
  });

  it("does not round up to all", () => {
    expect(results([metric(1, "runs", "success", 99_999), metric(1, "runs", "failure", 1)]).get(1)?.share).toBe("99.9 %");
  });
});
