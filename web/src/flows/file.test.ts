import { expect, it } from "vitest";

import { ApiError } from "../api/client";
import { read } from "./file";

it("an object is handed on as it is", () => {
  expect(read('{"format": "flowloom.flow"}')).toEqual({ format: "flowloom.flow" });
});

it.each(["", "[]", "null", "text", '{"cut'])("%j is no exported flow", (text) => {
  expect(read(text)).toBeInstanceOf(ApiError);
});
