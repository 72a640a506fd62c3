// What a step of a run got and gave: payloads before and after, requests and responses, log lines.
import { Accordion, Badge, Code, Group, Stack, Tabs, Text } from "@mantine/core";
import { useState } from "react";

import type { Exchange, ExchangeMessage, Run } from "../api/contract";
import { usePage } from "../api/hooks";
import { isFinished } from "../canvas/progress";
import { duration } from "../ui/format";
import { Pager } from "../ui/Pager";
import { Failure, Loading } from "../ui/parts";
import { Lines } from "./Lines";
import { every } from "./live";
import { Payloads } from "./Payloads";

const QUEUED = 0;

interface Props {
  run: Run;
  /** Its key. */
  step: string;
}

export function StepEvidence({ run, step }: Props) {
  if (run.status === QUEUED) return <Text size="sm" c="dimmed">The run has not begun yet.</Text>;
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

function Requests({ run, step }: Props) {
  const [page, setPage] = useState(1);
  const found = usePage("list_exchanges", { path: { flow_run: run.id }, query: { "filter[step_key]": step, page, per_page: 25 } }, { refetchInterval: every(run) });
  if (found.error) return <Failure error={found.error} />;
  if (!found.data) return <Loading rows={3} />;
  if (!found.data.data.length) return <Text size="sm" c="dimmed">{isFinished(run) ? "This step called nobody." : "No call of this step is recorded yet."}</Text>;
  return (
    <>
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
      <Pager meta={found.data.meta} onPage={setPage} />
    </>
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
