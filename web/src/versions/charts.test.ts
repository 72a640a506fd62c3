import { describe, expect, it } from "vitest";

import type { Metric } from "../api/contract";
import { type Chart, CHARTS, drawn, intervalOf } from "./charts";

const metric = (iteration: number, at: string, value: number, key = "success"): Metric => ({ id: 1, flow_id: 1, flow_version_id: iteration * 10, iteration, interval: "day", starts_at: `2026-03-${at}T00:00:00Z`, type: "runs", key, value });
const SUCCESS = CHARTS[0] as Chart;

describe("drawn", () => {
  it("has a line for each version over all instants, in the order of versions", () => {
    const { instants, lines } = drawn([metric(2, "03", 5), metric(1, "02", 7)], SUCCESS);
    expect(instants).toEqual([Date.parse("2026-03-02T00:00:00Z") / 1_000, Date.parse("2026-03-03T00:00:00Z") / 1_000]);
    expect(lines.map(({ label, values }) => [label, values])).toEqual([
      ["Version 1", [7, 0]],
      ["Version 2", [0, 5]],
    ]);
  });

  it("leaves a gap where a time is unknown", () => {
    expect(drawn([metric(1, "02", 7)], { ...SUCCESS, isCounted: false, name: "p50" }).lines[0]?.values).toEqual([null]);
  });
});

describe("intervalOf", () => {
  it("takes the chosen one only where it fits", () => {
    expect(intervalOf("365", "month")).toBe("month");
    expect(intervalOf("365", "minute")).toBe("week");
    expect(intervalOf("7", undefined)).toBe("day");
  });
});
