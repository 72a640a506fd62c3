import { describe, expect, it } from "vitest";

import type { RunStep } from "../api/contract";
import { step } from "./made";
import { kind, spoken } from "./words";

describe("spoken", () => {
  it("says what a step is and how it stands", () => {
    expect(spoken(step(2, 1, undefined, { name: "Wait", is_enabled: false, problems: { seconds: ["x"] } }), "Delay")).toBe("Wait, Delay, switched off, 1 to settle");
    expect(spoken(step(2, 1, undefined, { name: "Delay" }), "Delay", { state: "running" })).toBe("Delay, running");
    const done = { key: "x", was_reached: true, failed: 1, payloads_out: 2 } as RunStep;
    expect(spoken(step(2, 1, undefined, { name: "Delay" }), "Delay", { state: "failed", step: done })).toBe("Delay, 1 failed, 2 payloads out, failed");
  });
});

describe("kind", () => {
  it("does not say the name again", () => {
    expect(kind(step(2, 1, undefined, { name: "Delay" }), "Delay")).toBe("");
    expect(kind(step(2, 1, undefined, { name: "Wait", is_enabled: false }), "Delay")).toBe("Delay, switched off");
  });
});
