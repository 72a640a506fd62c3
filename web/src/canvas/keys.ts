// What the keys do on the canvas, where a step has the focus.
import type { KeyboardEvent } from "react";

import type { Step } from "../api/contract";
import { type Choice, extended, only, toggled } from "./choosing";
import type { Place, Tree } from "./graph";
import type { Point } from "./layout";
import { focusPanel } from "./sight";
import { type Direction, isDirection, neighbour, placeAfter } from "./walking";

const STRIDE = 20;
const STRIDES: Record<Direction, Point> = { ArrowUp: { x: 0, y: -STRIDE }, ArrowDown: { x: 0, y: STRIDE }, ArrowLeft: { x: -STRIDE, y: 0 }, ArrowRight: { x: STRIDE, y: 0 } };

interface Deeds {
  tree: Tree;
  choice: Choice;
  onChoose: (choice: Choice) => void;
  /** Give a step the focus. */
  go: (step: number) => void;
  /** Move what is chosen on the canvas, or the step that has the focus. */
  onNudge: (step: Step, by: Point) => void;
  onAdd?: (place: Place) => void;
  onDelete?: (step: Step) => void;
}

/** Whether the key did something. */
export function press(event: KeyboardEvent, step: Step, deeds: Deeds): boolean {
  const { key } = event;
  if (isDirection(key)) return walk(event, step, key, deeds);
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const { tree, choice, onChoose, go, onAdd, onDelete } = deeds;
  if (key === "+" || key === "Insert") onAdd?.(placeAfter(tree, step));
  else if ((key === "Enter" || key === " ") && event.shiftKey) onChoose(toggled(choice, step.id));
  else if (key === "Enter" && choice.open === step.id) focusPanel();
  else if (key === "Enter" || key === " ") onChoose(only(step.id));
  // What is done with several steps is done wherever the focus is.
  else if (choice.group.size) return false;
  else if (key === "Escape") onChoose(only(undefined));
  else if (key === "Delete" || key === "Backspace") {
    if (step.parent_id !== undefined && onDelete) go(step.parent_id);
    onDelete?.(step);
  } else return false;
  return true;
}

function walk(event: KeyboardEvent, step: Step, way: Direction, { tree, choice, onChoose, go, onNudge }: Deeds): boolean {
  if (event.ctrlKey || event.metaKey) return false;
  if (event.altKey) {
    onNudge(step, STRIDES[way]);
    return true;
  }
  const next = neighbour(tree, step.id, way);
  if (next === undefined) return true;
  if (event.shiftKey) onChoose(extended(choice, step.id, next));
  go(next);
  return true;
}
