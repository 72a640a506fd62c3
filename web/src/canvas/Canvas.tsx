// The drawing of a version: pan, zoom, choose a step, drag it, and add one where a plus is shown.
import "@xyflow/react/dist/style.css";

import { useComputedColorScheme } from "@mantine/core";
import { applyNodeChanges, Background, Controls, MiniMap, type Node, type NodeChange, ReactFlow } from "@xyflow/react";
import { useEffect, useMemo, useState } from "react";

import type { Step, StepType } from "../api/contract";
import { draw } from "./drawing";
import type { Place, Tree } from "./graph";
import type { Point } from "./layout";
import { edgeTypes, nodeTypes, type Progress } from "./nodes";

interface Props {
  tree: Tree;
  types: Map<string, StepType>;
  selected?: number;
  progress?: Map<string, Progress>;
  onSelect: (step: number | undefined) => void;
  onAdd?: (place: Place) => void;
  onMove?: (step: Step, to: Point) => void;
}

export function Canvas({ tree, types, selected, progress, onSelect, onAdd, onMove }: Props) {
  const scheme = useComputedColorScheme();
  const drawing = useMemo(() => draw(tree, { types, selected, progress, onAdd }), [tree, types, selected, progress, onAdd]);
  const [nodes, setNodes] = useState<Node[]>(drawing.nodes);
  useEffect(() => setNodes(drawing.nodes), [drawing]);
  const drag = (changes: NodeChange[]) => setNodes((old) => applyNodeChanges(changes.filter((change) => change.type === "position" || change.type === "dimensions"), old));
  const dropped = (_: unknown, node: Node) => {
    const step = tree.byId.get(Number(node.id));
    if (step) onMove?.(step, { x: Math.round(node.position.x), y: Math.round(node.position.y) });
  };
  return (
    <ReactFlow
      nodes={nodes}
      edges={drawing.edges}
      nodeTypes={nodeTypes}
      edgeTypes={edgeTypes}
      colorMode={scheme}
      onNodesChange={drag}
      onNodeDragStop={onMove ? dropped : undefined}
      onNodeClick={(_, node) => onSelect(Number(node.id) || undefined)}
      onPaneClick={() => onSelect(undefined)}
      nodesConnectable={false}
      deleteKeyCode={null}
      onlyRenderVisibleElements
      fitView
      fitViewOptions={{ maxZoom: 1, padding: 0.15 }}
      minZoom={0.15}
    >
      <Background gap={18} />
      <Controls showInteractive={false} position="bottom-left" />
      {tree.steps.length > 12 && <MiniMap pannable zoomable position="bottom-right" />}
    </ReactFlow>
  );
}
