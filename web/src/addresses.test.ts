import { describe, expect, it } from "vitest";

import { letters, named, paged, runs } from "./addresses";

describe("addresses", () => {
  it("keep what they know and drop the rest", () => {
    expect(runs({ page: "2", flow: 7, status: 3, from: "soon", warnings: "yes", x: 1, value: 1042 })).toEqual({ page: 2, flow: 7, status: "3", value: "1042" });
    expect(letters({ flow: "3", from: "x", to: "2026-03-02T10:00:00Z", step: "send", y: 1 })).toEqual({ flow: 3, to: "2026-03-02T10:00:00Z", step: "send" });
    expect(paged({ page: "-1" })).toEqual({});
    expect(named({ page: 2, search: 1042 })).toEqual({ page: 2, search: "1042" });
  });
});
