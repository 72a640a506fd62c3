// The way from step to step with the arrow keys: down to what follows, up to the parent, sideways to the neighbours. Pure.
import type { Step } from "../api/contract";
import type { Place, Tree } from "./graph";

export type Direction = "ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight";

export const isDirection = (key: string): key is Direction => key.startsWith("Arrow");

export function neighbour(tree: Tree, from: number, direction: Direction): number | undefined {
  const step = tree.byId.get(from);
  if (!step) return undefined;
  if (direction === "ArrowUp") return step.parent_id;
  if (direction === "ArrowDown") return followers(tree, step)[0]?.id;
  const row = rowOf(tree, step);
  const at = row.findIndex((one) => one.id === from);
  return row[at + (direction === "ArrowLeft" ? -1 : 1)]?.id;
}

const followers = (tree: Tree, step: Step): Step[] => tree.branches(step).flatMap((branch) => branch.steps);

/** The steps that are as far from the trigger, from left to right. */
function rowOf(tree: Tree, step: Step): Step[] {
  let row = tree.trigger ? [tree.trigger] : [];
  while (row.length && !row.includes(step)) row = row.flatMap((one) => followers(tree, one));
  return row;
}

/** The place right after a step, on its first route if it has any. */
export function placeAfter(tree: Tree, step: Step): Place {
  return tree.branches(step)[0]?.place ?? { parent: step.id };
}

/** The place at the end of the first way through the graph. */
export function lastPlace(tree: Tree): Place | undefined {
  let step = tree.trigger;
  while (step) {
    const branch = tree.branches(step)[0];
    if (!branch?.steps[0]) return branch?.place ?? { parent: step.id };
    step = branch.steps[0];
  }
  return undefined;
}

export interface Target {
  place: Place;
  label: string;
}

/** Where a step may be moved to: behind every step that does not hang on it itself, where it is not already. */
export function targets(tree: Tree, step: Step): Target[] {
  const own = new Set<number>();
  const waiting = [step];
  for (let one = waiting.pop(); one; one = waiting.pop()) {
    own.add(one.id);
    waiting.push(...followers(tree, one));
  }
  return tree.steps
    .filter((one) => !own.has(one.id))
    .flatMap((one) => {
      const routes = tree.routes(one);
      const places: Target[] = routes.map((route) => ({ place: { parent: one.id, route: route.id }, label: `${one.name}, route ${route.name}` }));
      return routes.length ? places : [{ place: { parent: one.id }, label: one.name }];
    })
    .filter(({ place }) => place.parent !== step.parent_id || place.route !== step.flow_step_route_id)
    .map(({ place, label }, _, all) => ({ place, label: all.filter((one) => one.label === label).length > 1 ? `${label} (${way(tree, place.parent)})` : label }));
}

/** What a step follows, which tells it from another one with its name. */
function way(tree: Tree, id: number): string {
  const step = tree.byId.get(id);
  const parent = tree.byId.get(step?.parent_id ?? 0);
  if (!step || !parent) return "the first";
  const route = tree.routes(parent).find((one) => one.id === step.flow_step_route_id);
  return `after ${parent.name}${route ? `, ${route.name}` : ""}`;
}
