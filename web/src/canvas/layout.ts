// Where the steps stand that nobody has dragged: a tree from top to bottom, each parent above the middle of what follows. Pure.
import type { Step } from "../api/contract";
import { type Branch, type Place, placeKey, type Tree } from "./graph";

export const STEP = { width: 220, height: 56 };
export const END = { width: 22, height: 22 };
const GAP = { x: 36, y: 64 };

export interface Point {
  x: number;
  y: number;
}

export interface Layout {
  steps: Map<number, Point>;
  /** The open ends, where a step can be added and none follows yet, by the key of their place. */
  ends: Map<string, Point & { place: Place; label?: string }>;
}

/** Positions of all steps of a tree and of its open ends; a step that has a position keeps it, unless its parent stands there. */
export function arrange(tree: Tree): Layout {
  const layout: Layout = { steps: new Map(), ends: new Map() };
  if (tree.trigger) set(tree, new Widths(tree), tree.trigger, { x: 0, y: 0 }, layout);
  for (const [index, step] of tree.steps.filter((step) => !layout.steps.has(step.id)).entries()) {
    layout.steps.set(step.id, step.position ?? { x: -(STEP.width + GAP.x) * 2, y: index * (STEP.height + GAP.y) });
  }
  return layout;
}

/** How wide each step is with all that hangs on it, each asked for once. */
class Widths {
  private readonly known = new Map<number, number>();

  constructor(private readonly tree: Tree) {}

  of(step: Step): number {
    let width = this.known.get(step.id);
    if (width === undefined) {
      const below = this.tree.branches(step).flatMap((branch) => this.columns(branch));
      width = Math.max(STEP.width, sum(below) + GAP.x * (below.length - 1));
      this.known.set(step.id, width);
    }
    return width;
  }

  columns({ steps }: Branch): number[] {
    return steps.length ? steps.map((step) => this.of(step)) : [STEP.width / 2];
  }
}

function set(tree: Tree, widths: Widths, step: Step, corner: Point, layout: Layout, parent?: Point): void {
  const whole = widths.of(step);
  const own = step.position && !(parent && overlap(step.position, parent)) ? step.position : { x: corner.x + (whole - STEP.width) / 2, y: corner.y };
  layout.steps.set(step.id, own);
  // What hangs on a dragged step goes along with it.
  let x = own.x + STEP.width / 2 - whole / 2;
  const y = own.y + STEP.height + GAP.y;
  const branches = tree.branches(step);
  const below = branches.flatMap((branch) => widths.columns(branch));
  x += (whole - sum(below) - GAP.x * (below.length - 1)) / 2;
  for (const branch of branches) {
    if (!branch.steps.length) {
      const end = { x: x + (STEP.width / 2 - END.width) / 2, y: y - (branch.label ? 0 : GAP.y / 2) };
      layout.ends.set(placeKey(branch.place), { ...end, place: branch.place, label: branch.label });
      x += STEP.width / 2 + GAP.x;
    }
    for (const child of branch.steps) {
      set(tree, widths, child, { x, y }, layout, own);
      x += widths.of(child) + GAP.x;
    }
  }
}

/** Whether two steps would stand on each other, or touch. */
function overlap(a: Point, b: Point): boolean {
  return Math.abs(a.x - b.x) < STEP.width && Math.abs(a.y - b.y) < STEP.height + GAP.y / 4;
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
