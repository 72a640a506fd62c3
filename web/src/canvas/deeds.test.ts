import { describe, expect, it } from "vitest";

import { ApiError } from "../api/client";
import type { Route, Step } from "../api/contract";
import { copyOf, copyOfSome, moved } from "./copies";
import { type Deed, Deeds, type Save, together } from "./deeds";
import { Tree } from "./graph";
import { route, step } from "./made";

/** A server's graph in memory: what the calls do there, they do here. */
class Graph {
  steps: Step[] = [step(1), step(2, 1, undefined, { microservice: "route" }), step(3, 2, 101), step(4, 3), step(5, 2, 102), step(6, 2, 102)];
  routes: Route[] = [route(101, 2, 0), route(102, 2, 1)];
  private next = 1000;
  failsAt = Number.POSITIVE_INFINITY;
  error = new ApiError(422, "no");

  get tree() {
    return new Tree(structuredClone(this.steps), structuredClone(this.routes));
  }

  /** Who hangs where, by name. */
  get drawn() {
    const name = (id: number | undefined) => this.steps.find((one) => one.id === id)?.name;
    const way = (id: number | undefined) => this.routes.find((one) => one.id === id)?.name;
    return this.steps.map((one) => [one.name, name(one.parent_id), way(one.flow_step_route_id)].join("/")).sort();
  }

  /** Answers what deeds ask for; one call fails. */
  readonly save = (async (name: string, { path, body }: { path: Record<string, number>; body: Record<string, unknown> }) => {
    this.failsAt -= 1;
    if (this.failsAt === -1) throw this.error;
    return { data: this.answer(name, path, body) };
  }) as unknown as Save;

  private answer(name: string, path: Record<string, number>, body: Record<string, unknown>): unknown {
    const found = this.steps.find((one) => one.id === path.step) as Step;
    if (name !== "create_step" && !found) throw new ApiError(404, `Step ${path.step} was not found.`);
    switch (name) {
      case "create_step":
        return this.create(body);
      case "list_routes":
        return this.routes.filter((one) => one.flow_step_id === path.step);
      case "update_step":
        return Object.assign(found, body, body.flow_step_route_id === null ? { flow_step_route_id: undefined } : {});
      case "create_route":
        return this.routes[this.routes.push({ ...route(this.id(), path.step as number, 0), ...body }) - 1];
      case "delete_route":
        for (const one of this.steps) if (one.flow_step_route_id === path.route) one.flow_step_route_id = undefined;
        this.routes = this.routes.filter((one) => one.id !== path.route);
        return undefined;
      default:
        for (const one of this.steps) if (one.parent_id === found.id) Object.assign(one, { parent_id: found.parent_id, flow_step_route_id: found.flow_step_route_id });
        this.steps = this.steps.filter((one) => one !== found);
        this.routes = this.routes.filter((one) => one.flow_step_id !== found.id);
        return undefined;
    }
  }

  private create({ parent_id, flow_step_route_id, beside, config, ...rest }: Record<string, unknown>): Step {
    const { routes = [], ...others } = config as { routes?: Array<{ name: string }> };
    const made = step(this.id(), parent_id as number, flow_step_route_id as number | undefined, { ...(rest as Partial<Step>), key: (rest.key as string | undefined) ?? `own${this.next}`, config: others });
    const followers = this.steps.filter((one) => one.parent_id === parent_id && one.flow_step_route_id === flow_step_route_id);
    for (const { name } of routes) this.routes.push({ ...route(this.id(), made.id, this.routes.length), name });
    const first = this.routes.find((one) => one.flow_step_id === made.id)?.id;
    if (!beside) for (const one of followers) Object.assign(one, { parent_id: made.id, flow_step_route_id: first });
    this.steps.push(made);
    return made;
  }

  private id(): number {
    this.next += 1;
    return this.next;
  }
}

function setting() {
  const graph = new Graph();
  const deeds = new Deeds(1, graph.save, () => undefined);
  const at = (name: string) => structuredClone(graph.steps.find((one) => one.name === name)) as Step;
  const thereAndBack = async (deed: Deed) => {
    const before = graph.drawn;
    await deed.again();
    const after = graph.drawn;
    await deed.back();
    expect(graph.drawn).toEqual(before);
    await deed.again();
    expect(graph.drawn).toEqual(after);
    await deed.back();
    expect(graph.drawn).toEqual(before);
    return after;
  };
  return { graph, deeds, at, thereAndBack };
}

describe("a deletion", () => {
  it("of a step with routes brings back all that hung on them, where it hung", async () => {
    const { graph, deeds, at, thereAndBack } = setting();
    expect(await thereAndBack(deeds.remove(graph.tree, at("2"), false))).toEqual(["1//", "3/1/", "4/3/", "5/1/", "6/1/"]);
  });

  it("of a step with all that follows it is undone too", async () => {
    const { graph, deeds, at, thereAndBack } = setting();
    expect(await thereAndBack(deeds.remove(graph.tree, at("2"), true))).toEqual(["1//"]);
  });

  it("brings each step back under its key, where a paste has keys of its own", async () => {
    const { graph, deeds, at } = setting();
    const keys = () => graph.steps.map(({ key }) => key).sort();
    const before = keys();
    const copied = deeds.renew(copyOf(graph.tree, at("2")));
    const removal = deeds.remove(graph.tree, at("2"), true);
    await removal.again();
    await removal.back();
    expect(keys()).toEqual(before);
    await deeds.insert({ parent: 1 }, copied).again();
    expect(keys().filter((key) => before.includes(key))).toHaveLength(before.length);
  });

  it("leaves beside it what stood beside it", async () => {
    const { graph, deeds, at, thereAndBack } = setting();
    await thereAndBack(deeds.remove(graph.tree, at("5"), false));
  });

  it("can be undone after an earlier change of what was deleted was undone", async () => {
    const { graph, deeds, at } = setting();
    const change = deeds.change(at("3"), { name: "three" });
    await change.again();
    const removal = deeds.remove(graph.tree, at("2"), true);
    await removal.again();
    await removal.back();
    await change.back();
    expect(graph.drawn).toEqual(new Graph().drawn);
  });
});

describe("several steps", () => {
  it("are deleted and put back as one", async () => {
    const { graph, deeds, at, thereAndBack } = setting();
    expect(await thereAndBack(deeds.removeSome(graph.tree, [at("2"), at("3"), at("6")]))).toEqual(["1//", "4/1/", "5/1/"]);
  });

  it("are pasted beside each other where none follows another", async () => {
    const { graph, deeds, at, thereAndBack } = setting();
    const copied = deeds.renew(moved(copyOfSome(graph.tree, [at("4"), at("5")]))).map((one) => ({ ...one, name: `${one.name}'` }));
    expect(await thereAndBack(deeds.insert({ parent: 3 }, copied))).toEqual(["1//", "2/1/", "3/2/r101", "4'/3/", "4/4'/", "5'/3/", "5/2/r102", "6/2/r102"]);
  });

  it("are all changed, or none", async () => {
    const { graph, deeds, at } = setting();
    const both = together([deeds.change(at("3"), { name: "three" }), deeds.change(at("4"), { name: "four" })]);
    graph.failsAt = 1;
    await expect(both.again()).rejects.toThrow("no");
    expect(graph.drawn).toEqual(new Graph().drawn);
  });
});

describe("a paste", () => {
  it("comes before what is at its place, whose way goes through the first of its routes", async () => {
    const { graph, deeds, at, thereAndBack } = setting();
    const copied = deeds.renew(moved(copyOf(graph.tree, at("2")))).map((one) => ({ ...one, name: `${one.name}'` }));
    const after = await thereAndBack(deeds.insert({ parent: 3 }, copied));
    expect(after).toEqual(["1//", "2'/3/", "2/1/", "3'/2'/r101", "3/2/r101", "4'/3'/", "4/4'/", "5'/2'/r102", "5/2/r102", "6'/2'/r102", "6/2/r102"]);
  });

  it("that fails half way leaves nothing behind", async () => {
    const { graph, deeds, at } = setting();
    const before = graph.drawn;
    const deed = deeds.insert({ parent: 4 }, deeds.renew(copyOf(graph.tree, at("2"))));
    graph.failsAt = 3;
    await expect(deed.again()).rejects.toThrow("no");
    expect(graph.drawn).toEqual(before);
  });

  it("that meets somebody else's change goes on where it was", async () => {
    const { graph, deeds, at } = setting();
    const deed = deeds.insert({ parent: 4 }, deeds.renew(copyOf(graph.tree, at("2"))));
    graph.failsAt = 3;
    graph.error = new ApiError(409, "changed");
    await expect(deed.again()).rejects.toThrow("changed");
    await deed.again();
    expect(graph.steps).toHaveLength(11);
    await deed.back();
    expect(graph.drawn).toEqual(new Graph().drawn);
  });
});

describe("variables", () => {
  it("are changed and put back, and secrets are written once", async () => {
    const bodies: unknown[] = [];
    const save = (async (_: string, { body }: { body: unknown }) => bodies.push(body)) as unknown as Save;
    const deed = new Deeds(1, save, () => undefined).changeVariables({ shop: "nl" }, { shop: "de" }, { token: "x" });
    await deed.again();
    await deed.back();
    await deed.again();
    expect(bodies).toEqual([{ variables: { shop: "de" }, secrets: { token: "x" } }, { variables: { shop: "nl" } }, { variables: { shop: "de" } }]);
  });
});

describe("a route", () => {
  it("is added, changed and removed, and what hung on it hangs on it again", async () => {
    const { graph, deeds, at, thereAndBack } = setting();
    await thereAndBack(deeds.addRoute(at("2"), "new"));
    expect(await thereAndBack(deeds.removeRoute(graph.tree, graph.routes[1] as Route))).toContain("5/2/");
  });
});
