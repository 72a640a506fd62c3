// Reading an exported flow, as far as it can be told here that it is none.
import { ApiError } from "../api/client";

export function read(text: string): Record<string, unknown> | ApiError {
  try {
    const found: unknown = JSON.parse(text);
    if (typeof found === "object" && found !== null && !Array.isArray(found)) return found as Record<string, unknown>;
  } catch {
    // Said below, in words that help more than the parser's.
  }
  return new ApiError(422, "This file is no exported flow. Choose a file that Export of a flow has written.");
}
