// What is different between two versions of a flow: steps by their stable key, field by field. Pure.
import type { Graph, Schedule, Step } from "../api/contract";
import { differences, type FieldChange } from "./differences";
import { condition, worded } from "./wording";

export interface StepChange {
  key: string;
  name: string;
  kind: "added" | "removed" | "changed" | "rewired";
  fields: FieldChange[];
}

/** One version as it is compared. */
export interface Side {
  graph: Graph;
  variables: Record<string, unknown>;
  /** The names of secret variables. */
  secrets: string[];
  schedules: Schedule[];
}

export interface Comparison {
  steps: StepChange[];
  variables: FieldChange[];
  schedules: FieldChange[];
}

const SCHEDULE_FIELDS = ["overlap", "catch_up", "jitter_seconds", "dst_gap", "dst_repeat"] as const;

export function compare(before: Side, after: Side): Comparison {
  return {
    steps: compareSteps(before.graph, after.graph),
    variables: differences(allVariables(before), allVariables(after)),
    schedules: differences(byTime(before.schedules), byTime(after.schedules)),
  };
}

function compareSteps(before: Graph, after: Graph): StepChange[] {
  const old = new Map(before.steps.map((step) => [step.key, step]));
  const now = new Map(after.steps.map((step) => [step.key, step]));
  const removed = before.steps.filter((step) => !now.has(step.key));
  const found = after.steps.flatMap((step): StepChange[] => {
    const was = old.get(step.key);
    if (!was) return [{ key: step.key, name: step.name, kind: "added", fields: differences({}, described(after, step)) }];
    const fields = differences(described(before, was), described(after, step));
    const kind = fields.every(({ field }) => field === WHERE) ? "rewired" : "changed";
    return fields.length ? [{ key: step.key, name: step.name, kind, fields }] : [];
  });
  return [...found, ...removed.map((step): StepChange => ({ key: step.key, name: step.name, kind: "removed", fields: [] }))];
}

const WHERE = "comes after";

/** All that a step does and where it hangs; places on the canvas are left out. */
function described(graph: Graph, step: Step): Record<string, unknown> {
  const parent = graph.steps.find((one) => one.id === step.parent_id);
  const route = graph.routes.find((one) => one.id === step.flow_step_route_id);
  const routes = graph.routes.filter((one) => one.flow_step_id === step.id).map((one) => [one.name, one.where ? condition(one.where) : "everything"]);
  return {
    name: step.name,
    "switched on": step.is_enabled,
    [WHERE]: parent && route ? `${parent.name}, route ${route.name}` : parent?.name,
    ...worded(step.config),
    ...named("variables", step.variables),
    ...named("routes", Object.fromEntries(routes)),
  };
}

/** A tree under a name of its own, unless there is nothing in it. */
function named(name: string, tree: Record<string, unknown>): Record<string, unknown> {
  return Object.keys(tree).length ? { [name]: tree } : {};
}

function allVariables({ variables, secrets }: Side): Record<string, unknown> {
  return { ...variables, ...Object.fromEntries(secrets.map((name) => [name, "a secret"])) };
}

/** Schedules by when they fire; several at one time are numbered. */
function byTime(schedules: Schedule[]): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const schedule of schedules) {
    const when = `${schedule.cron_string}, ${schedule.timezone}`;
    const more = Object.keys(found).filter((one) => one.startsWith(when)).length;
    found[more ? `${when} (${more + 1})` : when] = SCHEDULE_FIELDS.map((field) => `${field.replaceAll("_", " ")} ${schedule[field]}`).join(", ");
  }
  return found;
}
