// A real payload to look at while a step is set: what reached it in the latest run that did, or what one pastes.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";

import { call } from "../api/client";
import type { Step } from "../api/contract";
import { useRead } from "../api/hooks";
import type { Around, Sample } from "../form/around";
import { pathsOf, recordsAt, shapeOf } from "../form/sample";
import type { Tree } from "./graph";

const LATEST_RUNS = 15;
const MOST_LOOKS = 4;

/** The step and those it hangs on, nearest first: where it was not reached yet, what its parent gave on comes closest. */
function wayUp(tree: Tree, step: Step): string[] {
  const keys: string[] = [];
  for (let at: Step | undefined = step; at; at = at.parent_id === undefined ? undefined : tree.byId.get(at.parent_id)) keys.push(at.key);
  return keys;
}

async function find(flow: number, version: number, keys: string[]): Promise<Sample | null> {
  const runs = await call("list_runs", { query: { "filter[flow_id]": flow, per_page: LATEST_RUNS, sort: "-started_at" } });
  const ended = runs.data.filter((run) => run.status >= 2);
  const own = ended.filter((run) => run.flow_version_id === version);
  for (const run of [...own, ...ended.filter((one) => !own.includes(one))].slice(0, MOST_LOOKS)) {
    const steps = await call("list_run_steps", { path: { flow_run: run.id } });
    const reached = new Set(steps.data.filter((step) => step.was_reached).map((step) => step.key));
    const nearest = keys.find((key) => reached.has(key));
    if (nearest === undefined) continue;
    const side = nearest === keys[0] && nearest !== "trigger" ? "before" : "after";
    const seen = await call("list_step_payloads", { path: { flow_run: run.id }, query: { step: nearest, side, per_page: 1 } });
    const payload = seen.data.find((one) => !one.is_cut);
    if (payload) return { body: payload.body ?? null, content_type: payload.content_type, meta: payload.meta, run: run.id };
  }
  return null;
}

function useSample(flow: number, tree: Tree, step: Step) {
  const client = useQueryClient();
  const keys = useMemo(() => wayUp(tree, step), [tree, step]);
  const found = useQuery({ queryKey: ["sample", flow, step.flow_version_id, keys], queryFn: () => find(flow, step.flow_version_id, keys), staleTime: 60_000, retry: false });
  const pasting = ["pasted sample", flow, step.key];
  // What is pasted is kept as long as the pages are open; nothing reads it from anywhere.
  const pasted = useQuery<Sample | null>({ queryKey: pasting, queryFn: () => null, enabled: false, initialData: null, gcTime: Number.POSITIVE_INFINITY });
  const paste = (sample: Sample | undefined) => client.setQueryData(pasting, sample ?? null);
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
