import { describe, expect, it } from "vitest";

import { filters, read } from "./search";

describe("the address of a list of dead letters", () => {
  it("shows the open ones unless told otherwise", () => {
    expect(filters({})["filter[state]"]).toBe("open");
    expect(filters({ state: "all" })["filter[state]"]).toBe("open,retried,re-driven,discarded");
  });

  it("keeps what it knows and drops the rest", () => {
    expect(read({ flow: "3", from: "x", step: "send", y: 1 })).toEqual({ flow: 3, step: "send" });
  });
});
