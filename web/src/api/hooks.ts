// Reading and changing records from components: cached by operation and arguments, refreshed after each change.
import { keepPreviousData, type UseQueryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { type Answer, ApiError, type Args, call, type Name } from "./client";

type ReadOptions<N extends Name> = Pick<
  UseQueryOptions<Answer<N>, ApiError>,
  "enabled" | "refetchInterval" | "placeholderData" | "staleTime"
>;

export function useRead<N extends Name>(name: N, args: Args<N>, options: ReadOptions<N> = {}) {
  return useQuery<Answer<N>, ApiError>({
    queryKey: [name, args],
    queryFn: ({ signal }) => call(name, args, { signal }),
    ...options,
  });
}

/** A page of a list: the one before stays until the next is there. */
export function usePage<N extends Name>(name: N, args: Args<N>, options: ReadOptions<N> = {}) {
  return useRead(name, args, { placeholderData: keepPreviousData, ...options });
}

export function useChange<N extends Name>(name: N, options: { onSuccess?: (answer: Answer<N>) => void } = {}) {
  const client = useQueryClient();
  return useMutation<Answer<N>, ApiError, Args<N>>({
    mutationFn: (args) => call(name, args),
    onSuccess: (answer) => {
      void client.invalidateQueries();
      options.onSuccess?.(answer);
    },
  });
}
