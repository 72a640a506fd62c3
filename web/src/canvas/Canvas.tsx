// The drawing of a version: pan, zoom, choose a step, drag it, hang it elsewhere, and add one where a plus is shown.
import "@xyflow/react/dist/style.css";

import { useComputedColorScheme } from "@mantine/core";
import { applyNodeChanges, Background, type Connection, Controls, type Edge, MiniMap, type Node, type NodeChange, ReactFlow, type ReactFlowInstance } from "@xyflow/react";
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";

import type { Step, StepType } from "../api/contract";
import { useStable } from "../ui/stable";
import { draw, kept } from "./drawing";
import type { Place, Tree } from "./graph";
import { type Point, STEP } from "./layout";
import { edgeTypes, nodeTypes, type Progress } from "./nodes";
import { isDirection, neighbour, placeAfter } from "./walking";

interface Props {
  tree: Tree;
  types: Map<string, StepType>;
  selected?: number;
  progress?: Map<string, Progress>;
  onSelect: (step: number | undefined) => void;
  /** The step that the keyboard came to. */
  onCurrent: (step: number | undefined) => void;
  onAdd?: (place: Place) => void;
  onMove?: (step: Step, to: Point) => void;
  /** The line to a step was dropped on another one. */
  onHang?: (step: Step, parent: number) => void;
  onDelete?: (step: Step) => void;
}

const BELOW = 90;
const FIT = { maxZoom: 1, padding: 0.15 };
type Viewer = Pick<ReactFlowInstance, "setCenter" | "getZoom">;

export function Canvas({ tree, types, selected, progress, onSelect, onCurrent, onAdd, onMove, onHang, onDelete }: Props) {
  const scheme = useComputedColorScheme();
  const flow = useRef<Viewer>(undefined);
  const [at, setAt] = useState<number>();
  const current = at !== undefined && tree.byId.has(at) ? at : (selected ?? tree.trigger?.id);
  const drawing = useMemo(() => draw(tree, { types, selected, current, progress, onAdd }), [tree, types, selected, current, progress, onAdd]);
  const [nodes, setNodes] = useState<Node[]>(drawing.nodes);
  const [edges, setEdges] = useState(drawing.edges);
  useEffect(() => {
    setNodes((old) => kept<Node>(old, drawing.nodes));
    setEdges((old) => kept(old, drawing.edges));
  }, [drawing]);
  const drag = useStable((changes: NodeChange[]) => {
    const drags = changes.filter((change) => change.type === "position");
    if (drags.length) setNodes((old) => applyNodeChanges(drags, old));
  });
  const dropped = useStable((_: unknown, node: Node) => {
    const step = tree.byId.get(Number(node.id));
    if (step) onMove?.(step, { x: Math.round(node.position.x), y: Math.round(node.position.y) });
  });
  const hung = useStable((edge: Edge, { source }: Connection) => {
    const step = tree.byId.get(Number(edge.target));
    if (step && source !== edge.source) onHang?.(step, Number(source));
  });
  const clicked = useStable((_: unknown, node: Node) => onSelect(Number(node.id) || undefined));
  const left = useStable(() => onSelect(undefined));
  // A step that is opened stays in sight beside its panel.
  const wrapper = useRef<HTMLDivElement>(null);
  const look = useStable(() => {
    if (selected !== undefined) bring(selected, flow.current, drawing.nodes);
  });
  // One that was just added is not drawn yet when it is chosen.
  const isDrawn = selected !== undefined && nodes.some((node) => node.id === String(selected));
  useEffect(() => {
    if (!isDrawn || !wrapper.current) return;
    const observer = new ResizeObserver(look);
    observer.observe(wrapper.current);
    return () => observer.disconnect();
  }, [selected, isDrawn, look]);
  const go = (id: number) => {
    setAt(id);
    onCurrent(id);
    focus(id, flow.current, drawing.nodes);
  };
  const press = (event: KeyboardEvent) => {
    const id = stepAt(event.target);
    const step = id === undefined ? undefined : tree.byId.get(id);
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isDirection(event.key)) {
      const next = neighbour(tree, step.id, event.key);
      if (next !== undefined) go(next);
    } else if (event.key === "+" || event.key === "Insert") onAdd?.(placeAfter(tree, step));
    else if (event.key === "Enter" || event.key === " ") onSelect(step.id);
    else if (event.key === "Escape") onSelect(undefined);
    else if (event.key === "Delete" || event.key === "Backspace") {
      if (step.parent_id !== undefined && onDelete) go(step.parent_id);
      onDelete?.(step);
    } else return;
    event.preventDefault();
  };
  return (
    <div
      ref={wrapper}
      className="canvas"
      onKeyDown={press}
      onFocus={(event) => {
        const id = stepAt(event.target);
        setAt(id);
        onCurrent(id);
      }}
    >
      <ReactFlow
        aria-label="Steps"
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        colorMode={scheme}
        onInit={(made) => {
          flow.current = made;
        }}
        onNodesChange={drag}
        onNodeDragStop={onMove ? dropped : undefined}
        onNodeClick={clicked}
        onPaneClick={left}
        onReconnect={hung}
        connectionRadius={60}
        reconnectRadius={14}
        nodesConnectable={onHang !== undefined}
        nodesFocusable={false}
        edgesFocusable={false}
        disableKeyboardA11y
        deleteKeyCode={null}
        selectionKeyCode={null}
        onlyRenderVisibleElements
        fitView
        fitViewOptions={FIT}
        minZoom={0.15}
      >
        <Background gap={18} />
        <Controls showInteractive={false} position="bottom-left" />
        {tree.steps.length > 12 && <MiniMap pannable zoomable position="bottom-right" />}
      </ReactFlow>
    </div>
  );
}

function stepAt(target: EventTarget): number | undefined {
  const node = target instanceof HTMLElement ? target.closest<HTMLElement>(".react-flow__node-step") : null;
  return (node && Number(node.dataset.id)) || undefined;
}

const boxOf = (id: number) => document.querySelector<HTMLElement>(`.react-flow__node-step[data-id="${id}"]`);

/** Whether a step is all in sight, with the place to add one after it; or else bring it there. */
function bring(id: number, flow: Viewer | undefined, nodes: Node[]): boolean {
  const pane = document.querySelector(".canvas")?.getBoundingClientRect();
  const place = boxOf(id)?.getBoundingClientRect();
  const isSeen = pane && place && place.top >= pane.top && place.bottom + BELOW <= pane.bottom && place.left >= pane.left && place.right <= pane.right;
  const node = nodes.find((one) => one.id === String(id));
  if (!isSeen && node && flow) void flow.setCenter(node.position.x + STEP.width / 2, node.position.y + STEP.height / 2, { zoom: flow.getZoom() });
  return Boolean(isSeen);
}

/** Give a step the focus; one that is out of sight is brought there first. */
function focus(id: number, flow: Viewer | undefined, nodes: Node[]): void {
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
