// What is drawn on the canvas: steps, the lines between them, and the places where a step can be added.
import { Badge, Group, Stack, Text, Tooltip } from "@mantine/core";
import { BaseEdge, type Edge, EdgeLabelRenderer, type EdgeProps, getSmoothStepPath, Handle, type Node, type NodeProps, Position } from "@xyflow/react";
import { memo } from "react";

import type { RunStep, Step } from "../api/contract";
import { count } from "../ui/format";
import { Icon } from "../ui/Icon";
import type { Place } from "./graph";
import { look } from "./look";
import { kind } from "./words";

export interface Progress {
  state: "waiting" | "running" | "done" | "failed" | "skipped";
  step?: RunStep;
}
export type StepNode = Node<{ step: Step; title: string; progress?: Progress; isEditable: boolean }, "step">;
/** `isNear`: the keyboard is at the step it belongs to; of others there would be too many to tab through. */
export type EndNode = Node<{ place: Place; label?: string; isNear: boolean; onAdd?: (place: Place) => void }, "end">;
export type StepEdge = Edge<{ place: Place; label?: string; onAdd?: (place: Place) => void }, "step">;

const STATES: Record<Progress["state"], string> = {
  waiting: "var(--mantine-color-gray-5)",
  running: "var(--mantine-color-blue-6)",
  done: "var(--mantine-color-teal-6)",
  failed: "var(--mantine-color-red-6)",
  skipped: "var(--mantine-color-gray-4)",
};

const StepBox = memo(function StepBox({ data: { step, title, progress, isEditable } }: NodeProps<StepNode>) {
  const { icon, tint } = look(step.microservice);
  const problems = Object.values(step.problems ?? {}).flat();
  return (
    <div className="step" data-off={!step.is_enabled} data-state={progress?.state} style={{ borderLeftColor: progress ? STATES[progress.state] : tint }}>
      {step.microservice !== "trigger" && <Handle type="target" position={Position.Top} isConnectable={false} />}
      <Icon name={icon} size={18} />
      <Stack gap={0} flex={1} miw={0}>
        <span className="step-name">{step.name}</span>{" "}
        <span className="step-kind">{kind(step, title)}</span>{" "}
      </Stack>
      {progress?.step?.was_reached && <Counts step={progress.step} />}
      {!progress && problems.length > 0 && (
        <Tooltip label={<Stack gap={2}>{problems.map((problem) => <Text key={problem} size="xs">{problem}</Text>)}</Stack>}>
          <Badge color="orange" variant="filled" size="sm" circle aria-label={`${problems.length} to settle`}>
            {problems.length}
          </Badge>
        </Tooltip>
      )}
      {/* The end of a line can be dropped on it; a line begins with a plus. */}
      <Handle type="source" position={Position.Bottom} isConnectable={isEditable} isConnectableStart={false} />
    </div>
  );
});

function Counts({ step }: { step: RunStep }) {
  return (
    <Group gap={4} wrap="nowrap">
      {step.failed ? <Badge color="red" size="sm">{count(step.failed)} failed</Badge> : null}{" "}
      {step.payloads_out !== undefined && (
        <Tooltip label={`${count(step.payloads_in ?? 0)} payloads in, ${count(step.payloads_out)} out`}>
          <Badge color="gray" size="sm">{count(step.payloads_out)}</Badge>
        </Tooltip>
      )}
    </Group>
  );
}

function AddButton({ place, onAdd, tabIndex }: { place: Place; onAdd: (place: Place) => void; tabIndex?: number }) {
  return (
    <button type="button" tabIndex={tabIndex} className="add-here nodrag nopan" aria-label="Add a step here" onClick={() => onAdd(place)}>
      +
    </button>
  );
}

const End = memo(function End({ data: { place, label, isNear, onAdd } }: NodeProps<EndNode>) {
  return (
    <Stack align="center" gap={2}>
      <Handle type="target" position={Position.Top} isConnectable={false} style={{ opacity: 0 }} />
      {onAdd ? <AddButton place={place} onAdd={onAdd} tabIndex={isNear ? 0 : -1} /> : <span className="step-kind">{label ? "nothing" : ""}</span>}
    </Stack>
  );
});

function StepLine(props: EdgeProps<StepEdge>) {
  const [path, x, y] = getSmoothStepPath({ ...props, borderRadius: 8 });
  const { data } = props;
  const isEnd = props.target.startsWith("end");
  return (
    <>
      <BaseEdge path={path} style={isEnd ? { strokeDasharray: "3 3" } : undefined} />
      <EdgeLabelRenderer>
        <div style={{ position: "absolute", transform: `translate(-50%, -50%) translate(${x}px, ${y}px)`, pointerEvents: "all", zIndex: 1 }} className="nodrag nopan">
          <Group gap={4} wrap="nowrap">
            {data?.label && <Badge size="sm" variant="default">{data.label}</Badge>}
            {/* Too many to tab through: `+` on a step does the same. */}
            {!isEnd && data?.onAdd && <AddButton place={data.place} onAdd={data.onAdd} tabIndex={-1} />}
          </Group>
        </div>
      </EdgeLabelRenderer>
    </>
  );
}

export const nodeTypes = { step: StepBox, end: End };
export const edgeTypes = { step: StepLine };
