// The graph of a version as it is read, with the name of its saved state.
import { useQuery } from "@tanstack/react-query";

import { type ApiError, send } from "../api/client";
import type { Graph, Step } from "../api/contract";

export interface Loaded {
  graph: Graph;
  etag: string | null;
}

export const graphKey = (version: number | undefined) => ["get_graph", version] as const;

export function useGraph(version: number | undefined) {
  return useQuery<Loaded, ApiError>({
    queryKey: graphKey(version),
    enabled: version !== undefined,
    queryFn: async ({ signal }) => {
      const { answer, etag } = await send("get_graph", { path: { flow_version: version ?? 0 } }, { signal });
      return { graph: answer.data, etag };
    },
  });
}

export function withStep(graph: Graph, step: Step): Graph {
  return { ...graph, steps: graph.steps.map((old) => (old.id === step.id ? step : old)) };
}
