// Steps that are put elsewhere on the canvas: with the mouse, alone or with all that are chosen, and by key.
import type { Node } from "@xyflow/react";

import type { Step } from "../api/contract";
import { useStable } from "../ui/stable";
import { type Choice, only } from "./choosing";
import type { Drawing } from "./drawing";
import type { Drag } from "./editor";
import type { Tree } from "./graph";
import type { Point } from "./layout";

interface Drags {
  tree: Tree;
  choice: Choice;
  drawing: Drawing;
  onChoose: (choice: Choice) => void;
  onDrag?: (drags: Drag[]) => void;
  onNudge?: (drags: Drag[]) => void;
}

const whole = ({ x, y }: Point): Point => ({ x: Math.round(x), y: Math.round(y) });

export function useDrags({ tree, choice, drawing, onChoose, onDrag, onNudge }: Drags) {
  const dragOf = (id: number, to: (from: Point) => Point): Drag[] => {
    const step = tree.byId.get(id);
    const from = drawing.nodes.find((node) => node.id === String(id))?.position;
    return step && from ? [{ step, from: whole(from), to: whole(to(from)) }] : [];
  };
  // One that is not among those that are chosen is dragged alone.
  const dragged = useStable((_: unknown, { id }: Node) => {
    if (choice.group.size && !choice.group.has(Number(id))) onChoose(only(undefined));
  });
  const dropped = useStable((_: unknown, _node: Node, moved: Node[]) => onDrag?.(moved.flatMap(({ id, position }) => dragOf(Number(id), () => position))));
  const nudge = (step: Step, { x, y }: Point) => {
    const ids = choice.group.size ? [...choice.group] : [step.id];
    onNudge?.(ids.flatMap((id) => dragOf(id, (from) => ({ x: from.x + x, y: from.y + y }))));
  };
  return { dragged, dropped, nudge };
}
