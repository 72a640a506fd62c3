import { describe, expect, it } from "vitest";

import { filters } from "./search";

describe("the address of a list of dead letters", () => {
  it("shows the open ones unless told otherwise", () => {
    expect(filters({})["filter[state]"]).toBe("open");
    expect(filters({ state: "all" })["filter[state]"]).toBe("open,retried,re-driven,discarded");
  });
});
