// What a step of a run got and gave: payloads before and after, requests and responses, log lines.
import { Accordion, Anchor, Badge, Code, Group, SegmentedControl, Stack, Tabs, Text } from "@mantine/core";
import { useState } from "react";

import { url } from "../api/client";
import type { Exchange, ExchangeMessage, StepPayload } from "../api/contract";
import { useRead } from "../api/hooks";
import { bytes, duration } from "../ui/format";
import { Failure, Loading } from "../ui/parts";
import { Data } from "./Data";
import { Lines } from "./Lines";

export function StepEvidence({ run, step }: { run: number; step: string }) {
  return (
    <Tabs defaultValue="payloads" keepMounted={false}>
      <Tabs.List>
        <Tabs.Tab value="payloads">Payloads</Tabs.Tab>
        <Tabs.Tab value="requests">Requests</Tabs.Tab>
        <Tabs.Tab value="log">Log</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="payloads" pt="xs">
        <Payloads run={run} step={step} />
      </Tabs.Panel>
      <Tabs.Panel value="requests" pt="xs">
        <Requests run={run} step={step} />
      </Tabs.Panel>
      <Tabs.Panel value="log" pt="xs">
        <Lines run={run} step={step} />
      </Tabs.Panel>
    </Tabs>
  );
}

function Payloads({ run, step }: { run: number; step: string }) {
  const [side, setSide] = useState(step === "trigger" ? "after" : "before");
  const found = useRead("list_step_payloads", { path: { flow_run: run }, query: { step, side, per_page: 25 } });
  return (
    <Stack gap="xs">
      <SegmentedControl size="xs" w="fit-content" value={side} onChange={setSide} data={[{ value: "before", label: "Before" }, { value: "after", label: "After" }]} />
      {found.error && <Failure error={found.error} />}
      {found.isLoading && <Loading rows={3} />}
      {found.data?.data.length === 0 && (
        <Text size="sm" c="dimmed">
          {side === "before" ? "No payload reached this step." : "No payload came out of this step."}
        </Text>
      )}
      {found.data?.data.map((payload) => (
        <Stack key={payload.position} gap={2}>
          <Group gap={6}>
            <Badge color="gray" size="sm">
              {payload.position || "start"}
            </Badge>
            <Text size="xs" c="dimmed">
              {payload.content_type}, {bytes(payload.bytes)}
              {payload.is_cut ? ", cut" : ""}
            </Text>
            <Download run={run} step={step} side={side} payload={payload} />
          </Group>
          <Data value={payload.body} />
          {Object.keys(payload.meta).length > 0 && <Meta meta={payload.meta} />}
        </Stack>
      ))}
    </Stack>
  );
}

/** The whole payload where it was recorded, else what is shown of it. */
function Download({ run, step, side, payload }: { run: number; step: string; side: string; payload: StepPayload }) {
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
    <Text size="xs" c="dimmed">
      {Object.entries(meta)
        .map(([key, value]) => `${key}: ${value}`)
        .join(", ")}
    </Text>
  );
}

function Requests({ run, step }: { run: number; step: string }) {
  const found = useRead("list_exchanges", { path: { flow_run: run }, query: { "filter[step_key]": step, per_page: 25 } });
  if (found.error) return <Failure error={found.error} />;
  if (!found.data) return <Loading rows={3} />;
  if (!found.data.data.length) return <Text size="sm" c="dimmed">This step called nobody.</Text>;
  return (
    <Accordion chevronPosition="left" variant="separated">
      {found.data.data.map((exchange) => (
        <Accordion.Item key={exchange.id} value={String(exchange.id)}>
          <Accordion.Control>
            <Head exchange={exchange} />
          </Accordion.Control>
          <Accordion.Panel>
            <Message title="Request" message={exchange.request} />
            {exchange.response && <Message title="Response" message={exchange.response} />}
          </Accordion.Panel>
        </Accordion.Item>
      ))}
    </Accordion>
  );
}

function Head({ exchange }: { exchange: Exchange }) {
  const status = exchange.response?.status;
  return (
    <Group gap={6} wrap="nowrap">
      <Badge size="sm" color={status === undefined || status >= 400 ? "red" : "teal"}>
        {status ?? "failed"}
      </Badge>
      <Text size="xs" flex={1} lineClamp={2} style={{ overflowWrap: "anywhere" }}>
        {exchange.request.method} {exchange.request.url} {exchange.error}
      </Text>
      <Text size="xs" c="dimmed" className="nowrap">
        {duration(exchange.duration_ms)}
      </Text>
    </Group>
  );
}

function Message({ title, message }: { title: string; message: ExchangeMessage }) {
  const headers = Object.entries(message.headers).map(([name, value]) => `${name}: ${value}`);
  return (
    <Stack gap={4} mb="xs">
      <Text size="xs" fw={600}>
        {title}
      </Text>
      {headers.length > 0 && <Code block>{headers.join("\n")}</Code>}
      {message.body && <Code block mah={240} style={{ overflow: "auto", whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>{message.body}</Code>}
    </Stack>
  );
}
