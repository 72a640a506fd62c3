// A real payload to look at while a step is set: what reached it in the latest run that did, or what one pastes.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";

import type { Step } from "../api/contract";
import { useRead } from "../api/hooks";
import type { Around, Sample } from "../form/around";
import { pathsOf, recordsAt, shapeOf } from "../form/sample";
import { useMe } from "../ui/me";
import type { Tree } from "./graph";
import { findSample, wayUp } from "./looking";

const pastedKey = (flow: number, step: string) => ["pasted sample", flow, step];

function useSample(flow: number, tree: Tree, step: Step) {
  const client = useQueryClient();
  const { may } = useMe();
  const canTry = may("user");
  const way = useMemo(() => wayUp(tree, step), [tree, step]);
  const found = useQuery({
    queryKey: ["sample", flow, step.flow_version_id, canTry, ...way.map((one, index) => (index ? [one.key, one.is_enabled, one.config] : one.key))],
    queryFn: () => findSample({ flow, tree, way, canTry, pasted: (key) => client.getQueryData<Sample>(pastedKey(flow, key)) ?? undefined }),
    staleTime: 60_000,
    retry: false,
  });
  // What is pasted is kept as long as the pages are open; nothing reads it from anywhere.
  const pasted = useQuery<Sample | null>({ queryKey: pastedKey(flow, step.key), queryFn: () => null, enabled: false, initialData: null, gcTime: Number.POSITIVE_INFINITY });
  const paste = (sample: Sample | undefined) => {
    client.setQueryData(pastedKey(flow, step.key), sample ?? null);
    void client.invalidateQueries({ queryKey: ["sample", flow] });
  };
  return { sample: pasted.data ?? found.data ?? undefined, isLooking: found.isLoading, paste };
}

/** The names of the variables that a step sees: the version's with its secrets, its own, and those that steps set. */
function useVariables(tree: Tree, step: Step): string[] {
  const { data } = useRead("get_variables", { path: { flow_version: step.flow_version_id } });
  return useMemo(() => {
    const set = tree.steps.filter((one) => one.microservice === "set-variables").flatMap((one) => Object.keys((one.config.variables as object | undefined) ?? {}));
    return [...new Set([...Object.keys(data?.data ?? {}), ...(data?.secrets ?? []), ...Object.keys(step.variables), ...set])].sort();
  }, [data, tree, step]);
}

export function useAroundStep(flow: number, tree: Tree, step: Step, config: Record<string, unknown>): Around {
  const { sample, isLooking, paste } = useSample(flow, tree, step);
  const variables = useVariables(tree, step);
  const shown = useMemo(() => pathsOf(shapeOf(sample?.body)), [sample]);
  const path = typeof config.path === "string" ? config.path : undefined;
  const recordPaths = useMemo(() => (path ? pathsOf(shapeOf(recordsAt(sample?.body, path))) : shown), [sample, path, shown]);
  const isOfRecords = step.microservice === "map";
  const known = useMemo(() => {
    // Templates of a map are filled in of its records, all others of the payload, where a list is gone through.
    const paths = isOfRecords ? recordPaths : Array.isArray(sample?.body) ? shown.map((one) => `*.${one}`) : shown;
    return { variables, paths, meta: Object.keys(sample?.meta ?? {}) };
  }, [variables, isOfRecords, recordPaths, shown, sample]);
  return { known, recordPaths, sample, isLooking, paste, config, step: { flow_version: step.flow_version_id, step: step.id } };
}
