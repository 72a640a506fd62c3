// Editing a draft: each change is saved at once, in order, against the state it was made on; and can be taken back.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";

import { type Answer, ApiError, type Args, type Name, send } from "../api/client";
import type { Graph, Step, StepUpdate } from "../api/contract";
import type { Place } from "./graph";
import type { Point } from "./layout";

const SAVE_AFTER_MS = 500;

export type SaveState = "saved" | "saving" | { error: ApiError };

interface Loaded {
  graph: Graph;
  etag: string | null;
}

/** A change and its opposite; ids are asked for anew, since a step that is put back has another one. */
interface Deed {
  again: () => Promise<void>;
  back: () => Promise<void>;
}

export function useGraph(version: number | undefined) {
  return useQuery<Loaded, ApiError>({
    queryKey: ["get_graph", version],
    enabled: version !== undefined,
    queryFn: async ({ signal }) => {
      const { answer, etag } = await send("get_graph", { path: { flow_version: version ?? 0 } }, { signal });
      return { graph: answer.data, etag };
    },
  });
}

export function useEditor(version: number) {
  const client = useQueryClient();
  const [state, setState] = useState<SaveState>("saved");
  const [done, setDone] = useState<Deed[]>([]);
  const [undone, setUndone] = useState<Deed[]>([]);
  const queue = useRef<Promise<unknown>>(Promise.resolve());
  const renamed = useRef(new Map<number, number>());
  const key = ["get_graph", version];
  const id = (old: number): number => (renamed.current.has(old) ? id(renamed.current.get(old) as number) : old);

  const save = useCallback(
    async <N extends Name>(name: N, args: Args<N>): Promise<Answer<N>> => {
      const etag = client.getQueryData<Loaded>(key)?.etag;
      const saved = await send(name, args, { headers: etag ? { "If-Match": etag } : {} });
      client.setQueryData<Loaded>(key, (old) => old && { ...old, etag: saved.etag ?? old.etag });
      return saved.answer;
    },
    [client, version],
  );

  /** Work in line: one change is saved after the other, then the graph is read again. */
  const enqueue = (work: () => Promise<void>): Promise<void> => {
    setState("saving");
    const run = queue.current.then(work).then(
      () => setState("saved"),
      (error: unknown) => {
        setState({ error: error instanceof ApiError ? error : new ApiError(0, String(error)) });
      },
    );
    const settled = run.then(async () => {
      await client.invalidateQueries({ queryKey: key });
      void client.invalidateQueries({ queryKey: ["list_versions"] });
    });
    queue.current = settled;
    return settled;
  };

  const act = (deed: Deed): Promise<void> => {
    setUndone([]);
    return enqueue(async () => {
      await deed.again();
      setDone((deeds) => [...deeds.slice(-99), deed]);
    });
  };

  const path = (step: number) => ({ flow_version: version, step: id(step) });
  const patch = async (step: number, body: StepUpdate) => {
    const answer = await save("update_step", { path: path(step), body });
    client.setQueryData<Loaded>(key, (old) => old && { ...old, graph: withStep(old.graph, answer.data) });
  };
  const put = async (place: Place, step: Partial<Step> & { microservice: string }) => {
    const { microservice, name, config, position, is_enabled, variables } = step;
    const answer = await save("create_step", {
      path: { flow_version: version },
      body: { microservice, name, config, position, is_enabled, variables, parent_id: id(place.parent), flow_step_route_id: place.route },
    });
    return answer.data.id;
  };
  const remove = async (step: number) => {
    await save("delete_step", { path: path(step) });
  };

  const add = async (place: Place, step: Partial<Step> & { microservice: string }): Promise<number | undefined> => {
    let first: number | undefined;
    await act({
      again: async () => {
        const made = await put(place, step);
        if (first === undefined) first = made;
        else renamed.current.set(id(first), made);
      },
      back: async () => remove(first as number),
    });
    return first === undefined ? undefined : id(first);
  };

  const change = (step: Step, body: StepUpdate): Promise<void> => {
    const before = Object.fromEntries(Object.keys(body).map((name) => [name, step[name as keyof Step]]));
    return act({
      again: () => patch(step.id, body),
      // A step without a position of its own had none to go back to.
      back: () => patch(step.id, withoutUndefined(before)),
    });
  };

  const drop = (step: Step): Promise<void> =>
    act({
      again: () => remove(step.id),
      back: async () => {
        const made = await put({ parent: step.parent_id ?? 0, route: step.flow_step_route_id }, step);
        renamed.current.set(id(step.id), made);
      },
    });

  const later = useRef(new Map<string, () => void>());
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const flush = () => {
    clearTimeout(timer.current);
    const waiting = [...later.current.values()];
    later.current.clear();
    for (const work of waiting) work();
  };
  /** Save what is being typed once the typing rests; of the same thing the last one counts. */
  const soon = (what: string, work: () => void): void => {
    setState("saving");
    later.current.set(what, work);
    clearTimeout(timer.current);
    timer.current = setTimeout(flush, SAVE_AFTER_MS);
  };
  /** Save all that is typed and wait until it is. */
  const settle = async (): Promise<void> => {
    flush();
    await queue.current;
  };
  useEffect(() => flush, []);

  const move = (step: Step, position: Point): Promise<void> => change(step, { position });

  const undo = () => {
    const deed = done.at(-1);
    if (!deed) return;
    setDone(done.slice(0, -1));
    void enqueue(async () => {
      await deed.back();
      setUndone((deeds) => [...deeds, deed]);
    });
  };
  const redo = () => {
    const deed = undone.at(-1);
    if (!deed) return;
    setUndone(undone.slice(0, -1));
    void enqueue(async () => {
      await deed.again();
      setDone((deeds) => [...deeds, deed]);
    });
  };
  /** A change that is not taken back, such as one of routes. */
  const direct = <N extends Name>(name: N, args: Args<N>): Promise<void> =>
    enqueue(async () => {
      await save(name, args);
      setDone([]);
      setUndone([]);
    });

  return { state, soon, settle, add, change, drop, move, undo, redo, direct, canUndo: done.length > 0, canRedo: undone.length > 0 };
}

export type Editor = ReturnType<typeof useEditor>;

function withStep(graph: Graph, step: Step): Graph {
  return { ...graph, steps: graph.steps.map((old) => (old.id === step.id ? step : old)) };
}

function withoutUndefined(fields: Record<string, unknown>): StepUpdate {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
