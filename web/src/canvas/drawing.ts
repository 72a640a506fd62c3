// The nodes and edges that React Flow draws of a version. Pure.
import { type NodeHandle, Position } from "@xyflow/react";

import type { Step, StepType } from "../api/contract";
import type { Choice } from "./choosing";
import { type Place, placeKey, type Tree } from "./graph";
import { arrange, END, type Point, STEP } from "./layout";
import type { EndNode, Progress, StepEdge, StepNode } from "./nodes";
import { spoken } from "./words";

export interface Drawing {
  nodes: Array<StepNode | EndNode>;
  edges: StepEdge[];
}

interface Wishes {
  types: Map<string, StepType>;
  choice: Choice;
  /** The step that the keyboard is at. */
  current?: number;
  progress?: Map<string, Progress>;
  /** Present while the version may be edited. */
  onAdd?: (place: Place) => void;
}

// Where lines meet a box, so that they are drawn without measuring it.
const HANDLES: NodeHandle[] = [
  { type: "target", position: Position.Top, x: STEP.width / 2, y: 0, width: 1, height: 1 },
  { type: "source", position: Position.Bottom, x: STEP.width / 2, y: STEP.height, width: 1, height: 1 },
];

const NOT_REACHED: Progress = { state: "waiting" };
const OF_TRIGGER = HANDLES.slice(1);

export function draw(tree: Tree, wishes: Wishes): Drawing {
  const { steps, ends } = arrange(tree);
  const { current, onAdd } = wishes;
  const nodes: Drawing["nodes"] = tree.steps.map((step) => stepNode(step, steps.get(step.id) ?? { x: 0, y: 0 }, wishes));
  const edges: StepEdge[] = [];
  for (const step of tree.steps) {
    for (const { place, label, steps: followers } of tree.branches(step)) {
      for (const follower of followers) {
        edges.push({ id: `${step.id}-${follower.id}`, type: "step", source: String(step.id), target: String(follower.id), reconnectable: onAdd ? "source" : false, data: { place, label, onAdd } });
      }
      const end = ends.get(placeKey(place));
      // Without a way to add there is nothing to see at the end of a plain step.
      if (!end || (!onAdd && !label)) continue;
      const id = `end-${placeKey(place)}`;
      nodes.push({ id, type: "end", position: { x: end.x, y: end.y }, data: { place, label, onAdd, isNear: step.id === current }, selectable: false, draggable: false, measured: END, ...END });
      edges.push({ id: `${step.id}-${id}`, type: "step", source: String(step.id), target: id, reconnectable: false, data: { place, label } });
    }
  }
  return { nodes, edges };
}

function stepNode(step: Step, position: Point, { types, choice, current, progress, onAdd }: Wishes): StepNode {
  const title = types.get(step.microservice)?.title ?? step.microservice;
  const own = progress && (progress.get(step.key) ?? NOT_REACHED);
  return {
    id: String(step.id),
    type: "step",
    position,
    data: { step, title, progress: own, isEditable: onAdd !== undefined },
    selected: step.id === choice.open || choice.group.has(step.id),
    draggable: onAdd !== undefined,
    ariaRole: "button",
    ariaLabel: spoken(step, title, own),
    // One step is in the order of focus, and the arrow keys lead on from it.
    domAttributes: { tabIndex: step.id === current ? 0 : -1, "aria-expanded": step.id === choice.open, "aria-pressed": choice.group.has(step.id) || undefined },
    handles: step.microservice === "trigger" ? OF_TRIGGER : HANDLES,
    measured: STEP,
    ...STEP,
  };
}

/** The newer nodes or edges, but the older ones where they are the same: so these are not drawn anew. */
export function kept<N extends { id: string }>(older: N[], newer: N[]): N[] {
  const before = new Map(older.map((one) => [one.id, one]));
  const all = newer.map((one) => {
    const known = before.get(one.id);
    return known && isAlike(known, one) ? known : one;
  });
  return all.length === older.length && all.every((one, index) => one === older[index]) ? older : all;
}

// What is made anew with each drawing, and looked into to be compared.
const BOXES = new Set(["data", "position", "domAttributes", "place"]);

function isAlike(a: object, b: object, depth = 0): boolean {
  const one = a as Record<string, unknown>;
  const other = b as Record<string, unknown>;
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((name) => {
    if (one[name] === other[name]) return true;
    return depth < 2 && BOXES.has(name) && Boolean(one[name] && other[name]) && isAlike(one[name] as object, other[name] as object, depth + 1);
  });
}
