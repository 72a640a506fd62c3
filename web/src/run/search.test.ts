import { describe, expect, it } from "vitest";

import { filters, isFiltered, meant, RETRIED, STOPPED } from "./search";

describe("the address of a list of runs", () => {
  it("filters by anything but its page", () => {
    expect(isFiltered({ page: 3 })).toBe(false);
    expect(isFiltered({ warnings: true })).toBe(true);
  });

  it("asks for no run when none saw the value", () => {
    expect(filters({ value: "x" }, [])["filter[id]"]).toBe("0");
    expect(filters({ value: "x" }, [3, 4])["filter[id]"]).toBe("3,4");
    expect(filters({})["filter[id]"]).toBeUndefined();
  });

  it("means by an action only the states that it is for", () => {
    expect(meant({}, RETRIED)).toBe("3,4,5");
    expect(meant({ status: "3" }, RETRIED)).toBe("3");
    expect(meant({ status: "2" }, RETRIED)).toBeUndefined();
    expect(meant({ status: "1" }, STOPPED)).toBe("1");
  });
});
