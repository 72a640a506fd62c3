import { describe, expect, it } from "vitest";

import { label } from "./schema";

describe("label", () => {
  it.each([
    ["timeout_seconds", "Timeout seconds"],
    ["token_url", "Token URL"],
    ["connection_id", "Connection"],
    ["sql", "SQL"],
  ])("reads %s", (name, words) => {
    expect(label(name)).toBe(words);
  });
});
