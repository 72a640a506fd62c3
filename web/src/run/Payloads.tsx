// What a step of a run got and what it made of it: side by side where there is room, else what it made first.
import { Anchor, Badge, Group, SegmentedControl, SimpleGrid, Stack, Text } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useState } from "react";

import { url } from "../api/client";
import type { Run, StepPayload } from "../api/contract";
import { useRead } from "../api/hooks";
import { isFinished } from "../canvas/progress";
import { bytes } from "../ui/format";
import { Failure, Loading } from "../ui/parts";
import { Data } from "./Data";
import { everyLook } from "./live";

type Side = "before" | "after" | "untried";
const TITLES: Record<Side, string> = { before: "Before", after: "After", untried: "Not tried yet" };
const ROOM_FOR_TWO = 520;

interface Props {
  run: Run;
  step: string;
}

export function Payloads({ run, step }: Props) {
  const { ref, width } = useElementSize();
  const { data: untried } = usePayloads(run, step, "untried");
  const rest: Side[] = untried?.data.length ? ["untried"] : [];
  const isFirst = step === "trigger";
  const { data: made } = usePayloads(run, step, "after");
  const [chosen, choose] = useState<Side>();
  // Of a step that made nothing, what it got is what there is to see.
  const side = chosen ?? (isFirst || made?.data.length !== 0 ? "after" : "before");
  return (
    <Stack gap="xs" ref={ref}>
      {isFirst ? (
        <Shown run={run} step={step} side="after" />
      ) : width >= ROOM_FOR_TWO ? (
        <>
          <SimpleGrid cols={2} spacing="sm">
            <Titled run={run} step={step} side="before" />
            <Titled run={run} step={step} side="after" />
          </SimpleGrid>
          {rest.map((one) => (
            <Titled key={one} run={run} step={step} side={one} />
          ))}
        </>
      ) : (
        <>
          <SegmentedControl size="xs" w="fit-content" value={side} onChange={(next) => choose(next as Side)} data={(["before", "after", ...rest] as Side[]).map((one) => ({ value: one, label: TITLES[one] }))} />
          <Shown run={run} step={step} side={side} />
        </>
      )}
    </Stack>
  );
}

function usePayloads(run: Run, step: string, side: Side) {
  return useRead("list_step_payloads", { path: { flow_run: run.id }, query: { step, side, per_page: 25 } }, { refetchInterval: everyLook(run) });
}

function Titled(props: Props & { side: Side }) {
  return (
    <Stack gap={4} miw={0} component="section" aria-label={TITLES[props.side]}>
      <Text size="xs" fw={600} c="dimmed">
        {TITLES[props.side]}
      </Text>
      <Shown {...props} />
    </Stack>
  );
}

function Shown({ run, step, side }: Props & { side: Side }) {
  const found = usePayloads(run, step, side);
  if (found.error) return <Failure error={found.error} />;
  if (!found.data) return <Loading rows={3} />;
  if (!found.data.data.length) {
    return (
      <Text size="sm" c="dimmed">
        {nothing(side, isFinished(run))}
      </Text>
    );
  }
  return (
    <Stack gap="xs">
      {found.data.data.map((payload) => (
        <Shape key={payload.position} run={run.id} step={step} side={side} payload={payload} />
      ))}
    </Stack>
  );
}

function nothing(side: Side, isOver: boolean): string {
  if (isOver) return side === "before" ? "No payload reached this step." : "No payload came out of this step.";
  return side === "before" ? "No payload has reached this step yet." : "Nothing that came out of this step is recorded yet.";
}

interface ShapeProps {
  run: number;
  step: string;
  side: Side;
  payload: StepPayload;
}

function Shape({ payload, ...of }: ShapeProps) {
  return (
    <Stack gap={2} miw={0}>
      <Group gap={6}>
        <Badge color="gray" size="sm">
          {payload.position || "start"}
        </Badge>
        <Text size="xs" c="dimmed">
          {payload.content_type}, {bytes(payload.bytes)}
          {payload.is_cut ? ", cut" : ""}
        </Text>
        <Download {...of} payload={payload} />
      </Group>
      <Data value={payload.body} />
      {Object.keys(payload.meta).length > 0 && <Meta meta={payload.meta} />}
    </Stack>
  );
}

/** The whole payload where it was recorded, else what is shown of it. */
function Download({ run, step, side, payload }: ShapeProps) {
  const recorded = useRead("list_payloads", { query: { "filter[flow_run_id]": run, "filter[step_key]": step, per_page: 100 } }, { staleTime: 60_000, enabled: side === "after" });
  const whole = side === "after" && recorded.data?.data.find(({ position, bytes: size }) => position === payload.position && size === payload.bytes);
  if (whole) {
    return (
      <Anchor size="xs" href={url("download_payload", { path: { payload_metadata: whole.id } })} download>
        Download
      </Anchor>
    );
  }
  if (payload.is_cut || payload.body === undefined) return null;
  return (
    <Anchor component="button" size="xs" onClick={() => save(payload, `run-${run}-${step}-${payload.position || "start"}`)}>
      Download
    </Anchor>
  );
}

function save({ body, content_type }: StepPayload, name: string): void {
  const isText = typeof body === "string";
  const address = URL.createObjectURL(new Blob([isText ? body : JSON.stringify(body, null, 2)], { type: isText ? content_type : "application/json" }));
  Object.assign(document.createElement("a"), { href: address, download: `${name}.${isText ? "txt" : "json"}` }).click();
  URL.revokeObjectURL(address);
}

function Meta({ meta }: { meta: Record<string, string> }) {
  return (
    <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
      {Object.entries(meta)
        .map(([key, value]) => `${key}: ${value}`)
        .join(", ")}
    </Text>
  );
}
