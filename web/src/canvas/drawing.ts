// The nodes and edges that React Flow draws of a version. Pure.
import type { StepType } from "../api/contract";
import { type Place, placeKey, type Tree } from "./graph";
import { arrange, END, STEP } from "./layout";
import type { EndNode, Progress, StepEdge, StepNode } from "./nodes";

export interface Drawing {
  nodes: Array<StepNode | EndNode>;
  edges: StepEdge[];
}

interface Wishes {
  types: Map<string, StepType>;
  selected?: number;
  progress?: Map<string, Progress>;
  /** Present while the version may be edited. */
  onAdd?: (place: Place) => void;
}

export function draw(tree: Tree, { types, selected, progress, onAdd }: Wishes): Drawing {
  const { steps, ends } = arrange(tree);
  const nodes: Drawing["nodes"] = tree.steps.map((step) => ({
    id: String(step.id),
    type: "step",
    position: steps.get(step.id) ?? { x: 0, y: 0 },
    data: { step, title: types.get(step.microservice)?.title ?? step.microservice, progress: progress?.get(step.key) },
    selected: step.id === selected,
    draggable: onAdd !== undefined,
    ...STEP,
  }));
  const edges: StepEdge[] = [];
  for (const step of tree.steps) {
    for (const { place, label, steps: followers } of tree.branches(step)) {
      for (const follower of followers) {
        edges.push({ id: `${step.id}-${follower.id}`, type: "step", source: String(step.id), target: String(follower.id), data: { place, label, onAdd } });
      }
      const end = ends.get(placeKey(place));
      // Without a way to add there is nothing to see at the end of a plain step.
      if (!end || (!onAdd && !label)) continue;
      const id = `end-${placeKey(place)}`;
      nodes.push({ id, type: "end", position: { x: end.x, y: end.y }, data: { place, label, onAdd }, selectable: false, draggable: false, ...END });
      edges.push({ id: `${step.id}-${id}`, type: "step", source: String(step.id), target: id, data: { place, label } });
    }
  }
  return { nodes, edges };
}
