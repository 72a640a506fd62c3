// What can be done to a graph, each with its opposite. Ids are looked up as they are when it is done, or undone.
import type { Answer, Args, Name } from "../api/client";
import type { Route, RouteFields, Step, StepUpdate, Variables } from "../api/contract";
import { type Copied, type CopiedStep, copyOf, isBeside } from "./copies";
import type { Place, Tree } from "./graph";
import { Renamed } from "./renamed";

export interface Deed {
  again: () => Promise<void>;
  back: () => Promise<void>;
}

/** Several deeds as one. Tried again, they go on where they were interrupted. */
export function together(deeds: Deed[]): Deed {
  let done = 0;
  const back = async () => {
    for (; done > 0; done -= 1) await deeds[done - 1]?.back();
  };
  const again = async () => {
    for (; done < deeds.length; done += 1) await deeds[done]?.again();
  };
  return { again: () => again().catch(async (error: unknown) => raise(error, back)), back };
}

export type Save = <N extends Name>(name: N, args: Args<N>) => Promise<Answer<N>>;

export class Deeds {
  private readonly steps = new Renamed();
  private readonly routes = new Renamed();
  private fresh = 0;

  constructor(
    private readonly version: number,
    private readonly save: Save,
    private readonly changed: (step: Step) => void,
  ) {}

  now(step: number): number {
    return this.steps.now(step);
  }

  /** Put steps at a place, before what is there or beside it. Tried again, it goes on where it was interrupted. */
  insert(place: Place, copied: Copied, beside = false): Deed {
    let made = 0;
    const back = async () => {
      for (; made > 0; made -= 1) await this.delete(copied[made - 1]?.id ?? 0);
    };
    const again = async () => {
      for (; made < copied.length; made += 1) {
        const step = copied[made] as CopiedStep;
        const own = step.parent === undefined ? place : { parent: step.parent, route: step.route };
        await this.create(own, step, made === 0 ? beside : isBeside(copied, step));
      }
    };
    return { again: () => again().catch(async (error: unknown) => raise(error, back)), back };
  }

  /** The same steps under ids that nothing has yet, so that they are told from those they were copied from. */
  renew(copied: Copied): Copied {
    const names = new Map<number, number>();
    const fresh = (id: number) => names.set(id, names.get(id) ?? (this.fresh -= 1)).get(id) as number;
    const of = (id: number | undefined) => (id === undefined ? undefined : fresh(id));
    const routes = new Map<number, number>();
    const way = (id: number) => routes.set(id, routes.get(id) ?? (this.fresh -= 1)).get(id) as number;
    return copied.map((step) => ({
      ...step,
      id: fresh(step.id),
      key: undefined,
      parent: of(step.parent),
      route: step.route === undefined ? undefined : way(step.route),
      routes: step.routes.map((route) => ({ ...route, id: way(route.id) })),
    }));
  }

  /** Take a step out: what follows it moves up to its parent, or goes with it. */
  remove(tree: Tree, step: Step, all: boolean): Deed {
    const copied = copyOf(tree, step, true).slice(0, all ? undefined : 1);
    const followers = all ? [] : tree.branches(step).flatMap((branch) => branch.steps);
    const place = { parent: step.parent_id ?? 0, route: step.flow_step_route_id };
    let restored: Deed | undefined;
    let gone = 0;
    return {
      again: async () => {
        for (; gone < copied.length; gone += 1) await this.delete(copied[copied.length - 1 - gone]?.id ?? 0);
      },
      back: async () => {
        restored ??= this.insert(place, copied, true);
        await restored.again();
        for (const one of followers) await this.patch(one.id, { parent_id: step.id, flow_step_route_id: one.flow_step_route_id ?? null });
        restored = undefined;
        gone = 0;
      },
    };
  }

  /** Take several steps out, the last ones first; what follows them moves up to what stays. */
  removeSome(tree: Tree, steps: Step[]): Deed {
    let left = tree;
    const removals = [...steps].reverse().map(({ id }) => {
      const step = left.byId.get(id) as Step;
      const removal = this.remove(left, step, false);
      left = left.without(step);
      return removal;
    });
    return together(removals);
  }

  change(step: Step, body: StepUpdate): Deed {
    const before = Object.fromEntries(Object.keys(body).map((name) => [name, step[name as keyof Step] ?? (name === "flow_step_route_id" ? null : undefined)]));
    return {
      again: () => this.patch(step.id, body),
      // A step without a position of its own had none to go back to.
      back: () => this.patch(step.id, withoutUndefined(before)),
    };
  }

  /** Secrets are written once: nobody can read what they were, so they stay as they are with undo and redo. */
  changeVariables(before: Variables["variables"], variables: Variables["variables"], secrets: Variables["secrets"]): Deed {
    let fresh = secrets;
    const put = async (body: Variables) => {
      await this.save("update_variables", { path: { flow_version: this.version }, body });
    };
    return {
      again: async () => {
        await put({ variables, ...(fresh && { secrets: fresh }) });
        fresh = undefined;
      },
      back: () => put({ variables: before }),
    };
  }

  addRoute(step: Step, name: string): Deed {
    const id = (this.fresh -= 1);
    return { again: () => this.createRoute(step.id, { id, name }), back: () => this.deleteRoute(step.id, id) };
  }

  changeRoute(route: Route, body: RouteFields): Deed {
    const before: RouteFields = Object.fromEntries(Object.keys(body).map((name) => [name, route[name as keyof Route] ?? null]));
    const put = async (fields: RouteFields) => {
      await this.save("update_route", { path: this.way(route.flow_step_id, route.id), body: fields });
    };
    return { again: () => put(body), back: () => put(before) };
  }

  removeRoute(tree: Tree, route: Route): Deed {
    const followers = tree.at({ parent: route.flow_step_id, route: route.id });
    return {
      again: () => this.deleteRoute(route.flow_step_id, route.id),
      back: async () => {
        await this.createRoute(route.flow_step_id, route);
        for (const one of followers) await this.patch(one.id, { flow_step_route_id: route.id });
      },
    };
  }

  private async create(place: Place, step: CopiedStep, beside: boolean): Promise<void> {
    const { key, microservice, name, position, is_enabled, variables } = step;
    const routes = step.routes.map((route) => withoutUndefined({ name: route.name, where: route.where }));
    const config = routes.length ? { ...step.config, routes } : step.config;
    const answer = await this.save("create_step", {
      path: { flow_version: this.version },
      body: { key, microservice, name, config, position, is_enabled, variables, beside, parent_id: this.now(place.parent), flow_step_route_id: this.on(place.route) },
    });
    this.steps.set(step.id, answer.data.id);
    if (!routes.length) return;
    const made = await this.save("list_routes", { path: this.at(step.id) });
    for (const route of step.routes) {
      const found = made.data.find((one) => one.name === route.name);
      if (found) this.routes.set(route.id, found.id);
    }
  }

  private async createRoute(step: number, { id, name, where, position }: Pick<Route, "id" | "name" | "where"> & { position?: number }): Promise<void> {
    const answer = await this.save("create_route", { path: this.at(step), body: { name, where, position } });
    this.routes.set(id, answer.data.id);
  }

  private async patch(step: number, body: StepUpdate): Promise<void> {
    const places: StepUpdate = {};
    if (body.parent_id) places.parent_id = this.now(body.parent_id);
    if (body.flow_step_route_id) places.flow_step_route_id = this.routes.now(body.flow_step_route_id);
    const answer = await this.save("update_step", { path: this.at(step), body: { ...body, ...places } });
    this.changed(answer.data);
  }

  private async delete(step: number): Promise<void> {
    await this.save("delete_step", { path: this.at(step) });
  }

  private async deleteRoute(step: number, route: number): Promise<void> {
    await this.save("delete_route", { path: this.way(step, route) });
  }

  private at(step: number) {
    return { flow_version: this.version, step: this.now(step) };
  }

  private way(step: number, route: number) {
    return { ...this.at(step), route: this.routes.now(route) };
  }

  private on(route: number | undefined): number | undefined {
    return route === undefined ? undefined : this.routes.now(route);
  }
}

/** What stands half done is taken back, unless it is to be tried again. */
async function raise(error: unknown, back: () => Promise<void>): Promise<never> {
  if ((error as { status?: number }).status !== 409) await back();
  throw error;
}

function withoutUndefined<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}
