// The drawing of a version: pan, zoom, choose steps, drag them, hang one elsewhere, and add one where a plus is shown.
import "@xyflow/react/dist/style.css";

import { useComputedColorScheme, VisuallyHidden } from "@mantine/core";
import { applyNodeChanges, Background, type Connection, type Edge, MiniMap, type Node, type NodeChange, ReactFlow, SelectionMode } from "@xyflow/react";
import { type FocusEvent, type MouseEvent, useEffect, useId, useMemo, useRef, useState } from "react";

import type { Step, StepType } from "../api/contract";
import { useStable } from "../ui/stable";
import { type Choice, only, several, toggled } from "./choosing";
import { useDrags } from "./drags";
import { draw, kept } from "./drawing";
import type { Drag } from "./editor";
import type { Place, Tree } from "./graph";
import { press } from "./keys";
import { edgeTypes, nodeTypes, type Progress } from "./nodes";
import { bring, FIT, focus, stepAt, type Viewer } from "./sight";
import { Zoom } from "./Zoom";

interface Props {
  tree: Tree;
  types: Map<string, StepType>;
  choice: Choice;
  progress?: Map<string, Progress>;
  onChoose: (choice: Choice) => void;
  /** The step that the keyboard came to. */
  onCurrent: (step: number | undefined) => void;
  onAdd?: (place: Place) => void;
  onDrag?: (drags: Drag[]) => void;
  /** The same by one key of many. */
  onNudge?: (drags: Drag[]) => void;
  /** The line to a step was dropped on another one. */
  onHang?: (step: Step, parent: number) => void;
  onDelete?: (step: Step) => void;
}

// With one of them, a click takes one step more.
const MORE = ["Shift", "Control", "Meta"];

export function Canvas({ tree, types, choice, progress, onChoose, onCurrent, onAdd, onDrag, onNudge, onHang, onDelete }: Props) {
  const scheme = useComputedColorScheme();
  const flow = useRef<Viewer>(undefined);
  const [at, setAt] = useState<number>();
  const { open } = choice;
  const current = at !== undefined && tree.byId.has(at) ? at : (open ?? tree.trigger?.id);
  const drawing = useMemo(() => draw(tree, { types, choice, current, progress, onAdd }), [tree, types, choice, current, progress, onAdd]);
  const [nodes, setNodes] = useState<Node[]>(drawing.nodes);
  const [edges, setEdges] = useState(drawing.edges);
  useEffect(() => {
    setNodes((old) => kept<Node>(old, drawing.nodes));
    setEdges((old) => kept(old, drawing.edges));
  }, [drawing]);
  const isFraming = useRef(false);
  const change = useStable((changes: NodeChange[]) => {
    // What a click chooses is for us to say.
    const own = changes.filter(({ type }) => type === "position" || (type === "select" && isFraming.current));
    if (own.length) setNodes((old) => applyNodeChanges(own, old));
  });
  const framed = useStable(() => {
    isFraming.current = false;
    onChoose(several(nodes.filter((node) => node.selected && node.type === "step").map(({ id }) => Number(id))));
  });
  const { dragged, dropped, nudge } = useDrags({ tree, choice, drawing, onChoose, onDrag, onNudge });
  const hung = useStable((edge: Edge, { source }: Connection) => {
    const step = tree.byId.get(Number(edge.target));
    if (step && source !== edge.source) onHang?.(step, Number(source));
  });
  const clicked = useStable((event: MouseEvent, node: Node) => {
    const id = Number(node.id);
    if (!id) return;
    const isMore = event.shiftKey || event.ctrlKey || event.metaKey;
    onChoose(isMore ? toggled(choice, id) : only(id));
    if (isMore) go(id);
  });
  const left = useStable(() => onChoose(only(undefined)));
  // A step that is opened stays in sight beside its panel.
  const wrapper = useRef<HTMLDivElement>(null);
  const look = useStable(() => {
    if (open !== undefined) bring(open, flow.current, drawing.nodes);
  });
  // One that was just added is not drawn yet when it is chosen.
  const isDrawn = open !== undefined && nodes.some((node) => node.id === String(open));
  useEffect(() => {
    if (!isDrawn || !wrapper.current) return;
    const observer = new ResizeObserver(look);
    observer.observe(wrapper.current);
    return () => observer.disconnect();
  }, [open, isDrawn, look]);
  const go = (id: number) => {
    setAt(id);
    onCurrent(id);
    focus(id, flow.current, drawing.nodes);
  };
  const keys = useId();
  // The step where one was last may be out of sight, and is not there to be reached then. On the way back one is let go.
  const entered = ({ relatedTarget }: FocusEvent) => {
    if (current !== undefined && !relatedTarget?.closest(".react-flow")) go(current);
  };
  return (
    <div
      ref={wrapper}
      className="canvas"
      onKeyDown={(event) => {
        const step = tree.byId.get(stepAt(event.target) ?? 0);
        if (step && press(event, step, { tree, choice, onChoose, go, onNudge: nudge, onAdd, onDelete })) event.preventDefault();
      }}
      onFocus={(event) => {
        const id = stepAt(event.target);
        if (id === undefined) return;
        setAt(id);
        onCurrent(id);
      }}
    >
      <Zoom flow={flow} />
      <VisuallyHidden id={keys}>
        Arrow keys lead from step to step, Enter opens one and leads on to its settings{onAdd && ", plus adds one after it"}.
      </VisuallyHidden>
      <button type="button" className="skip" onFocus={entered} onClick={() => current !== undefined && go(current)}>
        Go to the steps
      </button>
      <ReactFlow
        aria-label="Steps"
        aria-describedby={keys}
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        colorMode={scheme}
        onInit={(made) => {
          flow.current = made;
        }}
        onNodesChange={change}
        onNodeDragStart={dragged}
        onNodeDragStop={dropped}
        onNodeClick={clicked}
        onPaneClick={left}
        onSelectionStart={() => {
          isFraming.current = true;
        }}
        onSelectionEnd={framed}
        onReconnect={hung}
        connectionRadius={60}
        reconnectRadius={14}
        nodesConnectable={onHang !== undefined}
        nodesFocusable={false}
        edgesFocusable={false}
        disableKeyboardA11y
        deleteKeyCode={null}
        selectionMode={SelectionMode.Partial}
        multiSelectionKeyCode={MORE}
        onlyRenderVisibleElements
        fitView
        fitViewOptions={FIT}
        minZoom={0.15}
      >
        <Background gap={18} />
        {tree.steps.length > 12 && <MiniMap pannable zoomable position="bottom-right" />}
      </ReactFlow>
    </div>
  );
}
