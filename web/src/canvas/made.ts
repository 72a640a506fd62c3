// Steps and routes made up for the tests.
import type { Route, Step } from "../api/contract";

export function step(id: number, parent?: number, route?: number, more: Partial<Step> = {}): Step {
  const microservice = parent === undefined ? "trigger" : "delay";
  return { id, key: `k${id}`, flow_version_id: 1, microservice, name: `${id}`, config: {}, is_enabled: true, variables: {}, parent_id: parent, flow_step_route_id: route, ...more };
}

export const route = (id: number, of: number, position: number): Route => ({ id, key: `r${id}`, flow_step_id: of, name: `r${id}`, position });
