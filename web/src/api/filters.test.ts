import { expect, it } from "vitest";

import { exactly } from "./filters";

it("finds a value with a comma or a backslash as it is", () => {
  expect(exactly("Oslo, 7")).toBe("Oslo\\, 7");
  expect(exactly("C:\\orders")).toBe("C:\\\\orders");
  expect(exactly(undefined)).toBeUndefined();
});
