// Editing a draft: what is done to it is saved at once, and can be taken back and done again.
import { type RefObject, useMemo, useReducer, useRef } from "react";

import type { Route, RouteFields, Step, StepUpdate } from "../api/contract";
import type { Copied } from "./copies";
import { type Deed, Deeds, together } from "./deeds";
import type { Place, Tree } from "./graph";
import type { Point } from "./layout";
import { useSaving } from "./saving";

/** A step that was put elsewhere on the canvas. */
export interface Drag {
  step: Step;
  from: Point;
  to: Point;
}

/** The name of what is saved, by which it is forgotten when it was refused. */
export const VARIABLES = "variables";
const MOST_DEEDS = 100;

export function useEditor(flow: number, version: number) {
  const { save, changed, enqueue, soon, flush, ...saving } = useSaving(flow, version);
  const done = useRef<Deed[]>([]);
  const undone = useRef<Deed[]>([]);
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const deeds = useMemo(() => new Deeds(version, save, changed), [version, save, changed]);

  const act = (deed: Deed, what?: string): Promise<boolean> => {
    undone.current = [];
    return enqueue(async () => {
      await deed.again();
      done.current = [...done.current.slice(1 - MOST_DEEDS), deed];
    }, what);
  };
  /** The last deed of one pile is done, or taken back, and laid on the other one. */
  const turn = (from: RefObject<Deed[]>, to: RefObject<Deed[]>, way: keyof Deed): void => {
    // What is being typed is the last deed once it is saved; so the pile is asked when its turn comes.
    flush();
    let deed: Deed | undefined;
    const work = async () => {
      deed ??= from.current.pop();
      if (!deed) return;
      await deed[way]();
      to.current.push(deed);
    };
    void enqueue(work).then(redraw);
  };

  /** Put copied steps at a place; their ids, once they are saved. */
  const insert = async (place: Place, copied: Copied, beside = false): Promise<number[]> => {
    const own = deeds.renew(copied);
    return (await act(deeds.insert(place, own, beside))) ? own.map(({ id }) => deeds.now(id)) : [];
  };
  const add = async (place: Place, microservice: string, name: string): Promise<number | undefined> => {
    const [made] = await insert(place, [{ id: 0, microservice, name, config: {}, is_enabled: true, variables: {}, routes: [] }]);
    return made;
  };
  const drag = (drags: Drag[]) => {
    // All stand where they were put at once, while one after the other is saved.
    for (const { step, to } of drags) changed({ ...step, position: to });
    // One that had no place of its own goes back to where it was drawn.
    return act(together(drags.map(({ step, from, to }) => deeds.change({ ...step, position: step.position ?? from }, { position: to }))));
  };

  const nudged = useRef(new Map<number, Drag>());
  /** Key by key, as one thing to undo once the keys rest. */
  const nudge = (drags: Drag[]) => {
    for (const drag of drags) {
      nudged.current.set(drag.step.id, { ...(nudged.current.get(drag.step.id) ?? drag), to: drag.to });
      changed({ ...drag.step, position: drag.to });
    }
    void soon("places", () => {
      const all = [...nudged.current.values()];
      nudged.current.clear();
      return drag(all);
    });
  };

  return {
    ...saving,
    soon,
    insert,
    add,
    drag,
    nudge,
    change: (step: Step, body: StepUpdate, what?: string) => act(deeds.change(step, body), what),
    remove: (tree: Tree, step: Step, all = false) => act(deeds.remove(tree, step, all)),
    removeSome: (tree: Tree, steps: Step[]) => act(deeds.removeSome(tree, steps)),
    changeVariables: (...[before, next, secrets]: Parameters<Deeds["changeVariables"]>) => act(deeds.changeVariables(before, next, secrets), VARIABLES),
    move: (step: Step, { parent, route }: Place) => act(deeds.change(step, { parent_id: parent, flow_step_route_id: route ?? null })),
    addRoute: (step: Step, name: string) => act(deeds.addRoute(step, name)),
    changeRoute: (route: Route, body: RouteFields, what?: string) => act(deeds.changeRoute(route, body), what),
    removeRoute: (tree: Tree, route: Route) => act(deeds.removeRoute(tree, route)),
    undo: () => turn(done, undone, "back"),
    redo: () => turn(undone, done, "again"),
    canUndo: done.current.length > 0,
    canRedo: undone.current.length > 0,
  };
}

export type Editor = ReturnType<typeof useEditor>;
