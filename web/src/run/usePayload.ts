// The body of a payload, read where it can be downloaded: JSON as data, everything else as it is written.
import { useQuery } from "@tanstack/react-query";

import { type ApiError, failure } from "../api/client";

const MOST_BYTES = 1_000_000;

/** `bytes` is its size: what is too large to look at is not read. */
export function usePayload(address: string, bytes: number) {
  return useQuery<unknown, ApiError>({
    queryKey: ["payload", address],
    staleTime: Number.POSITIVE_INFINITY,
    enabled: bytes <= MOST_BYTES,
    queryFn: async ({ signal }) => {
      const answer = await fetch(address, { signal });
      if (!answer.ok) throw await failure(answer);
      return read(await answer.text());
    },
  });
}

function read(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
