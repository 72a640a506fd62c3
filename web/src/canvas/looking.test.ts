import { describe, expect, it } from "vitest";

import type { Sample } from "../form/around";
import { Tree } from "./graph";
import { findSample, type Search, wayUp } from "./looking";
import { route, step } from "./made";

// 1 > map 2 > route 3, on whose route r7 hangs 4.
const STEPS = [step(1), step(2, 1, undefined, { microservice: "map" }), step(3, 2, undefined, { microservice: "route" }), step(4, 3, 7)];
const TREE = new Tree(STEPS, [route(7, 3, 0), route(8, 3, 1)]);
const [, , , LAST] = STEPS;

const payload = (body: unknown) => ({ position: "0", content_type: "application/json", meta: {}, bytes: 1, is_cut: false, body });

/** A server where a run reached these steps, and that says which calls it got. */
function server(reached: string[]) {
  const calls: string[] = [];
  const ask = (async (name: string, { path, query }: { path?: Record<string, number>; query?: Record<string, string> }) => {
    calls.push([name, path?.step ?? query?.step, query?.side].filter(Boolean).join(" "));
    if (name === "list_runs") return { data: [{ id: 5, status: 1 }, { id: 6, status: 2, flow_version_id: 9 }, { id: 7, status: 3, flow_version_id: 1 }] };
    if (name === "list_run_steps") return { data: STEPS.map(({ key }) => ({ key, was_reached: reached.includes(key) })) };
    if (name === "list_step_payloads") return { data: [payload(`of run ${path?.flow_run}`)] };
    return { data: { payloads: path?.step === 3 ? [{ ...payload("other"), route: "r8" }, { ...payload("routed"), route: "r7" }] : [payload("mapped")] } };
  }) as unknown as NonNullable<Parameters<typeof findSample>[1]>;
  return { calls, ask };
}

const search = (more: Partial<Search> = {}): Search => ({ flow: 1, tree: TREE, way: wayUp(TREE, LAST as (typeof STEPS)[number]), canTry: true, pasted: () => undefined, ...more });

describe("a sample", () => {
  it("is what came to the step, in a run of its version if there is one", async () => {
    const { ask, calls } = server(["k1", "k2", "k3", "k4"]);
    expect(await findSample(search(), ask)).toMatchObject({ body: "of run 7", run: 7 });
    expect(calls.at(-1)).toBe("list_step_payloads k4 before");
  });

  it("is what the steps between make of what came to one further up", async () => {
    const { ask, calls } = server(["k1"]);
    expect(await findSample(search(), ask)).toMatchObject({ body: "routed", run: 7 });
    expect(calls.slice(-3)).toEqual(["list_step_payloads k1 after", "try_step 2", "try_step 3"]);
  });

  it("is what was pasted nearer to the step", async () => {
    const { ask, calls } = server(["k1"]);
    const pasted = (key: string) => (key === "k3" ? ({ body: "pasted", content_type: "application/json", meta: {} } as Sample) : undefined);
    expect(await findSample(search({ pasted }), ask)).toMatchObject({ body: "routed" });
    expect(calls.filter((one) => one.startsWith("try"))).toEqual(["try_step 3"]);
  });

  it("is taken as it came by who may try nothing, and by steps that are not complete", async () => {
    expect(await findSample(search({ canTry: false }), server(["k1"]).ask)).toMatchObject({ body: "of run 7" });
    const tree = new Tree(STEPS.map((one) => ({ ...one, problems: { config: ["x"] } })), []);
    expect(await findSample(search({ tree, way: wayUp(tree, tree.byId.get(4) as (typeof STEPS)[number]) }), server(["k1"]).ask)).toMatchObject({ body: "of run 7" });
  });

  it("is nothing where no run came", async () => {
    expect(await findSample(search(), server([]).ask)).toBeNull();
  });
});
