// Steps taken out of a graph, to be put into one again: what copy and paste, and the undo of a deletion, go by. Pure.
import type { Route, Step } from "../api/contract";
import type { Place, Tree } from "./graph";

export interface CopiedStep {
  /** Its id where it was taken from. */
  id: number;
  /** Its key, under which it comes back; a copy gets one of its own. */
  key?: string;
  microservice: string;
  name: string;
  config: Record<string, unknown>;
  is_enabled: boolean;
  variables: Record<string, unknown>;
  position?: { x: number; y: number };
  /** Where it hangs among the others; the first of them, and what is beside it, hangs on none. */
  parent?: number;
  route?: number;
  routes: Array<{ id: number; name: string; where?: Record<string, unknown> }>;
}

/** Each after its parent. */
export type Copied = CopiedStep[];

/** A step with what hangs on its routes, which belongs to it; with `all`, with all that follows it. */
export function copyOf(tree: Tree, step: Step, all = false): Copied {
  const copied = [taken(tree, step)];
  const waiting = tree.branches(step).filter((branch) => all || branch.place.route !== undefined);
  for (const branch of waiting) for (const follower of branch.steps) copied.push(...below(tree, follower, branch.place));
  return copied;
}

/** Just these steps, each after the nearest of them that it follows; the trigger cannot be copied. */
export function copyOfSome(tree: Tree, steps: Step[]): Copied {
  const some = steps.filter((step) => step.parent_id !== undefined);
  const chosen = new Set(some.map(({ id }) => id));
  return some.map((step) => ({ ...taken(tree, step), ...nearest(tree, step, chosen) }));
}

function nearest(tree: Tree, step: Step, chosen: Set<number>): Partial<Place> {
  for (let at: Step | undefined = step; at?.parent_id !== undefined; at = tree.byId.get(at.parent_id)) {
    if (chosen.has(at.parent_id)) return { parent: at.parent_id, route: at.flow_step_route_id };
  }
  return {};
}

function below(tree: Tree, step: Step, place: Place): Copied {
  return copyOf(tree, step, true).map((one, index) => (index ? one : { ...one, parent: place.parent, route: place.route }));
}

function taken(tree: Tree, step: Step): CopiedStep {
  const { id, key, microservice, name, config, is_enabled, variables, position } = step;
  return { id, key, microservice, name, config, is_enabled, variables, position, routes: tree.routes(step).map(kept) };
}

const kept = ({ id, name, where }: Route) => ({ id, name, where });

/** The same steps as a copy that stands elsewhere: without their places on the canvas. */
export function moved(copied: Copied): Copied {
  return copied.map(({ position: _, ...step }) => step);
}

/** Whether a step is put beside what is at its place already, since another one of the copied came there before it. */
export function isBeside(copied: Copied, step: CopiedStep): boolean {
  const first = copied.find((one) => one.parent === step.parent && one.route === step.route);
  return first !== step;
}

const KIND = "flowloom/steps";

export function written(copied: Copied): string {
  return JSON.stringify({ kind: KIND, steps: copied }, null, 2);
}

/** The steps that a text holds, as `written` writes them; undefined for any other text. */
export function read(text: string): Copied | undefined {
  try {
    const found = JSON.parse(text) as { kind?: unknown; steps?: unknown };
    if (found?.kind !== KIND || !Array.isArray(found.steps) || !found.steps.length || !found.steps.every(isStep)) return undefined;
    const ids = new Set(found.steps.map((step) => step.id));
    const hangs = found.steps.every((step, index) => index === 0 || step.parent === undefined || ids.has(step.parent));
    return hangs ? found.steps.map((step, index) => (index ? step : { ...step, parent: undefined, route: undefined })) : undefined;
  } catch {
    return undefined;
  }
}

function isStep(value: unknown): value is CopiedStep {
  const step = value as Partial<CopiedStep> | null;
  return typeof step === "object" && step !== null && typeof step.id === "number" && typeof step.microservice === "string" && step.microservice !== "trigger" && typeof step.name === "string" && typeof step.config === "object" && Array.isArray(step.routes);
}
