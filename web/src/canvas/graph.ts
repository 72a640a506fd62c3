// The graph of a version as the canvas sees it: a tree of steps, and the places where a step can be put. Pure.
import type { Route, Step } from "../api/contract";

/** Where a step hangs, or could: behind its parent, on one of the parent's routes if that has any. */
export interface Place {
  parent: number;
  route?: number;
}

export interface Branch {
  place: Place;
  label?: string;
  steps: Step[];
}

export const placeKey = ({ parent, route }: Place): string => `${parent}/${route ?? ""}`;

export class Tree {
  readonly byId: Map<number, Step>;
  readonly trigger: Step | undefined;
  private readonly followers = new Map<string, Step[]>();
  private readonly ways = new Map<number, Route[]>();

  constructor(
    readonly steps: Step[],
    private readonly allRoutes: Route[],
  ) {
    this.byId = new Map(steps.map((step) => [step.id, step]));
    this.trigger = steps.find((step) => step.microservice === "trigger");
    for (const step of steps) {
      if (step.parent_id === undefined) continue;
      const key = placeKey({ parent: step.parent_id, route: step.flow_step_route_id });
      push(this.followers, key, step);
    }
    for (const route of [...allRoutes].sort((a, b) => a.position - b.position || a.id - b.id)) {
      push(this.ways, route.flow_step_id, route);
    }
  }

  /** The routes of a step, in order. */
  routes(step: Step): Route[] {
    return this.ways.get(step.id) ?? [];
  }

  /** The ways out of a step in run order: what follows it on no route, then route by route. */
  branches(step: Step): Branch[] {
    const routes = this.routes(step);
    const plain = this.at({ parent: step.id });
    const named = routes.map((route) => ({
      place: { parent: step.id, route: route.id },
      label: route.name,
      steps: this.at({ parent: step.id, route: route.id }),
    }));
    if (!routes.length) return [{ place: { parent: step.id }, steps: plain }];
    return plain.length ? [{ place: { parent: step.id }, label: "always", steps: plain }, ...named] : named;
  }

  /** The tree once a step is gone: what followed it has moved up to its parent. */
  without(step: Step): Tree {
    const up = { parent_id: step.parent_id, flow_step_route_id: step.flow_step_route_id };
    const left = this.steps.filter(({ id }) => id !== step.id).map((one) => (one.parent_id === step.id ? { ...one, ...up } : one));
    return new Tree(left, this.allRoutes.filter((route) => route.flow_step_id !== step.id));
  }

  /** The steps at a place. */
  at(place: Place): Step[] {
    return this.followers.get(placeKey(place)) ?? [];
  }
}

function push<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
