// Editing a draft: what is done to it is saved at once, and can be taken back and done again.
import { useMemo, useState } from "react";

import type { Route, RouteFields, Step, StepUpdate } from "../api/contract";
import type { Copied } from "./copies";
import { type Deed, Deeds } from "./deeds";
import type { Place, Tree } from "./graph";
import { useSaving } from "./saving";

const MOST_DEEDS = 100;

export function useEditor(flow: number, version: number) {
  const { save, changed, enqueue, flush, ...saving } = useSaving(flow, version);
  const [done, setDone] = useState<Deed[]>([]);
  const [undone, setUndone] = useState<Deed[]>([]);
  const deeds = useMemo(() => new Deeds(version, save, changed), [version, save, changed]);

  const act = (deed: Deed): Promise<boolean> => {
    setUndone([]);
    return enqueue(async () => {
      await deed.again();
      setDone((before) => [...before.slice(1 - MOST_DEEDS), deed]);
    });
  };
  const undo = () => {
    flush();
    const deed = done.at(-1);
    if (!deed) return;
    setDone(done.slice(0, -1));
    void enqueue(async () => {
      await deed.back();
      setUndone((before) => [...before, deed]);
    });
  };
  const redo = () => {
    const deed = undone.at(-1);
    if (!deed) return;
    setUndone(undone.slice(0, -1));
    void enqueue(async () => {
      await deed.again();
      setDone((before) => [...before, deed]);
    });
  };

  /** Put copied steps at a place; the id of the first of them, once it is saved. */
  const insert = async (place: Place, copied: Copied, beside = false): Promise<number | undefined> => {
    const own = deeds.renew(copied);
    const [first] = own;
    return first && (await act(deeds.insert(place, own, beside))) ? deeds.now(first.id) : undefined;
  };
  const add = (place: Place, microservice: string, name: string) =>
    insert(place, [{ id: 0, microservice, name, config: {}, is_enabled: true, variables: {}, routes: [] }]);

  return {
    ...saving,
    insert,
    add,
    change: (step: Step, body: StepUpdate) => act(deeds.change(step, body)),
    remove: (tree: Tree, step: Step, all = false) => act(deeds.remove(tree, step, all)),
    move: (step: Step, { parent, route }: Place) => act(deeds.change(step, { parent_id: parent, flow_step_route_id: route ?? null })),
    addRoute: (step: Step, name: string) => act(deeds.addRoute(step, name)),
    changeRoute: (route: Route, body: RouteFields) => act(deeds.changeRoute(route, body)),
    removeRoute: (tree: Tree, route: Route) => act(deeds.removeRoute(tree, route)),
    undo,
    redo,
    canUndo: done.length > 0,
    canRedo: undone.length > 0,
  };
}

export type Editor = ReturnType<typeof useEditor>;
