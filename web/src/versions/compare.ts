// What is different between two versions of a flow: steps by their stable key, field by field. Pure.
import type { Graph, Schedule, Step } from "../api/contract";

export interface FieldChange {
  field: string;
  before: unknown;
  after: unknown;
}

export interface StepChange {
  key: string;
  name: string;
  kind: "added" | "removed" | "changed";
  fields: FieldChange[];
}

/** One version as it is compared. */
export interface Side {
  graph: Graph;
  variables: Record<string, unknown>;
  schedules: Schedule[];
}

export interface Comparison {
  steps: StepChange[];
  variables: FieldChange[];
  schedules: FieldChange[];
}

const SCHEDULE_FIELDS = ["timezone", "overlap", "catch_up", "jitter_seconds", "dst_gap", "dst_repeat"] as const;

export function compare(before: Side, after: Side): Comparison {
  return {
    steps: compareSteps(before.graph, after.graph),
    variables: differences(before.variables, after.variables),
    schedules: differences(schedulesByText(before.schedules), schedulesByText(after.schedules)),
  };
}

function compareSteps(before: Graph, after: Graph): StepChange[] {
  const old = new Map(before.steps.map((step) => [step.key, step]));
  const now = new Map(after.steps.map((step) => [step.key, step]));
  const removed = before.steps.filter((step) => !now.has(step.key));
  const found = after.steps.flatMap((step): StepChange[] => {
    const was = old.get(step.key);
    if (!was) return [{ key: step.key, name: step.name, kind: "added", fields: differences({}, flat(after, step)) }];
    const fields = differences(flat(before, was), flat(after, step));
    return fields.length ? [{ key: step.key, name: step.name, kind: "changed", fields }] : [];
  });
  return [...found, ...removed.map((step): StepChange => ({ key: step.key, name: step.name, kind: "removed", fields: [] }))];
}

/** All that a step does and where it hangs, by dotted field; places on the canvas are left out. */
function flat(graph: Graph, step: Step): Record<string, unknown> {
  const parent = graph.steps.find((one) => one.id === step.parent_id);
  const route = graph.routes.find((one) => one.id === step.flow_step_route_id);
  const routes = Object.fromEntries(graph.routes.filter((one) => one.flow_step_id === step.id).map((one) => [one.name, one.where ?? "everything"]));
  return {
    name: step.name,
    "runs": step.is_enabled,
    "comes after": parent && route ? `${parent.name}, route ${route.name}` : parent?.name,
    ...flatten(step.config, ""),
    ...flatten(step.variables, "variables."),
    ...flatten(routes, "routes."),
  };
}

export function flatten(value: Record<string, unknown>, prefix: string): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [name, one] of Object.entries(value)) {
    const isTree = typeof one === "object" && one !== null && Object.keys(one).length > 0;
    Object.assign(found, isTree ? flatten(one as Record<string, unknown>, `${prefix}${name}.`) : { [prefix + name]: one });
  }
  return found;
}

export function differences(before: Record<string, unknown>, after: Record<string, unknown>): FieldChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names
    .filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
    .map((field) => ({ field, before: before[field], after: after[field] }));
}

function schedulesByText(schedules: Schedule[]): Record<string, unknown> {
  return Object.fromEntries(schedules.map((schedule) => [schedule.cron_string, SCHEDULE_FIELDS.map((field) => `${field.replaceAll("_", " ")} ${schedule[field]}`).join(", ")]));
}
