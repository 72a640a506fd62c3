// Looking for a sample of what comes to a step: from runs, or from what was pasted before it, through the steps between.
import { type Answer, type Args, call, type Name } from "../api/client";
import type { Run, Step } from "../api/contract";
import type { Sample } from "../form/around";
import type { Tree } from "./graph";

const LATEST_RUNS = 15;
const MOST_LOOKS = 4;
// What the server can try on a payload; all others are taken to hand on what they get.
const TRIED = new Set(["filter", "map", "batch", "split", "route", "set-variables", "manual-payload"]);

type Call = <N extends Name>(name: N, args: Args<N>) => Promise<Answer<N>>;

export interface Search {
  flow: number;
  tree: Tree;
  /** The step and those it hangs on, nearest first. */
  way: Step[];
  canTry: boolean;
  /** What was pasted as what comes to a step. */
  pasted: (key: string) => Sample | undefined;
}

export function wayUp(tree: Tree, step: Step): Step[] {
  const way: Step[] = [];
  for (let at: Step | undefined = step; at; at = tree.byId.get(at.parent_id ?? 0)) way.push(at);
  return way;
}

export async function findSample(search: Search, ask: Call = call): Promise<Sample | null> {
  const { way, pasted } = search;
  const seen = await inRuns(search, ask);
  const at = way.findIndex((step, index) => index > 0 && pasted(step.key) !== undefined);
  // What was pasted nearer to the step counts more than what a run brought to one further up.
  const near = way[at] && (!seen || at < seen.from) ? { sample: pasted(way[at].key) as Sample, from: at + 1 } : seen;
  return near ? through(search, near.sample, near.from, ask) : null;
}

interface Seen {
  sample: Sample;
  /** It is what comes out of this step of the way, or, for 0, what comes to the step itself. */
  from: number;
}

async function inRuns({ flow, way }: Search, ask: Call): Promise<Seen | undefined> {
  const runs = await ask("list_runs", { query: { "filter[flow_id]": flow, per_page: LATEST_RUNS, sort: "-started_at" } });
  for (const run of ofVersionFirst(runs.data, way[0]?.flow_version_id).slice(0, MOST_LOOKS)) {
    const steps = await ask("list_run_steps", { path: { flow_run: run.id } });
    const reached = new Set(steps.data.filter((step) => step.was_reached).map((step) => step.key));
    const from = way.findIndex((step) => reached.has(step.key));
    const step = way[from];
    if (!step) continue;
    const side = from === 0 && step.microservice !== "trigger" ? "before" : "after";
    const payloads = await ask("list_step_payloads", { path: { flow_run: run.id }, query: { step: step.key, side, per_page: 1 } });
    const payload = payloads.data.find((one) => !one.is_cut);
    if (payload) return { sample: { body: payload.body ?? null, content_type: payload.content_type, meta: payload.meta, run: run.id }, from };
  }
  return undefined;
}

function ofVersionFirst(runs: Run[], version: number | undefined): Run[] {
  const ended = runs.filter((run) => run.status >= 2);
  return [...ended.filter((run) => run.flow_version_id === version), ...ended.filter((run) => run.flow_version_id !== version)];
}

/** What the steps between make of a sample, as they are set now. */
async function through({ tree, way, canTry }: Search, sample: Sample, from: number, ask: Call): Promise<Sample> {
  let made = sample;
  for (let at = from - 1; at > 0 && canTry; at -= 1) {
    const step = way[at] as Step;
    if (!TRIED.has(step.microservice) || !step.is_enabled || step.problems) continue;
    const { body, content_type, meta } = made;
    const path = { flow_version: step.flow_version_id, step: step.id };
    const tried = await ask("try_step", { path, body: { payload: body, content_type, meta } });
    const route = tree.routes(step).find((one) => one.id === way[at - 1]?.flow_step_route_id)?.name;
    const next = tried.data.payloads.find((one) => one.route === route && !one.is_cut);
    // Where nothing goes on, what came is the nearest there is.
    if (next) made = { ...made, body: next.body ?? null, content_type: next.content_type, meta: next.meta };
  }
  return made;
}
