// Where the steps are on the screen: which one an event is for, bringing one into sight, and giving it the focus.
import type { Node, ReactFlowInstance } from "@xyflow/react";

import { STEP } from "./layout";

// Room for the place to add a step after it.
const BELOW = 90;
export const FIT = { maxZoom: 1, padding: 0.15 };
export type Viewer = Pick<ReactFlowInstance, "setCenter" | "getZoom" | "zoomIn" | "zoomOut" | "fitView">;

export function stepAt(target: EventTarget): number | undefined {
  const node = target instanceof HTMLElement ? target.closest<HTMLElement>(".react-flow__node-step") : null;
  return (node && Number(node.dataset.id)) || undefined;
}

const boxOf = (id: number) => document.querySelector<HTMLElement>(`.react-flow__node-step[data-id="${id}"]`);

/** Whether a step is all in sight, with the place to add one after it; or else bring it there. */
export function bring(id: number, flow: Viewer | undefined, nodes: Node[]): boolean {
  const pane = document.querySelector(".canvas")?.getBoundingClientRect();
  const place = boxOf(id)?.getBoundingClientRect();
  const isSeen = pane && place && place.top >= pane.top && place.bottom + BELOW <= pane.bottom && place.left >= pane.left && place.right <= pane.right;
  const node = nodes.find((one) => one.id === String(id));
  if (!isSeen && node && flow) void flow.setCenter(node.position.x + STEP.width / 2, node.position.y + STEP.height / 2, { zoom: flow.getZoom() });
  return Boolean(isSeen);
}

/** Give a step the focus; one that is out of sight is brought there first. */
export function focus(id: number, flow: Viewer | undefined, nodes: Node[]): void {
  // A step that was out of sight is drawn with the next frames.
  const wait = (frames: number) => {
    const box = boxOf(id);
    if (box) box.focus({ preventScroll: true });
    else if (frames) requestAnimationFrame(() => wait(frames - 1));
  };
  wait(bring(id, flow, nodes) ? 0 : 10);
}

/** Give a step the focus, after what lay over it is gone. */
export const focusStep = (id: number): void => boxOf(id)?.focus({ preventScroll: true });

/** Go on from an open step to its settings. */
export function focusPanel(): void {
  const find = (what: string) => document.querySelector<HTMLElement>(`.beside ${what}`);
  (find("input:enabled") ?? find("button"))?.focus();
}
