// The list of flows: what each is, which version runs, when it runs next, and how it did. A narrow screen shows less.
import { Badge, Group, Table, Text, VisuallyHidden } from "@mantine/core";
import { Link } from "@tanstack/react-router";

import type { Flow } from "../api/contract";
import { lead } from "../ui/lead";
import { Instant, RunStatus } from "../ui/parts";
import { FlowActions } from "./FlowActions";
import { Spark } from "./Spark";

const none = (
  <Text span c="dimmed" inherit>
    none
  </Text>
);

export function FlowTable({ flows }: { flows: Flow[] }) {
  return (
    <Table.ScrollContainer minWidth={0} className="card">
      <Table>
        <Table.Thead className="nowrap">
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th visibleFrom="md">State</Table.Th>
            <Table.Th visibleFrom="sm">Version</Table.Th>
            <Table.Th visibleFrom="md">Next run</Table.Th>
            <Table.Th>Last run</Table.Th>
            <Table.Th visibleFrom="sm">24 hours</Table.Th>
            <Table.Th><VisuallyHidden>Actions</VisuallyHidden></Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {flows.map((flow) => (
            <Row key={flow.id} flow={flow} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Row({ flow }: { flow: Flow }) {
  return (
    <Table.Tr onClick={lead}>
      <Table.Td maw={360} className="wraps">
        <Name flow={flow} />
      </Table.Td>
      <Table.Td visibleFrom="md">
        <Badge color={flow.is_enabled ? "teal" : "gray"}>{flow.is_enabled ? "Enabled" : "Disabled"}</Badge>
      </Table.Td>
      <Table.Td visibleFrom="sm">
        <Versions flow={flow} />
      </Table.Td>
      <Table.Td visibleFrom="md" className="nowrap">{flow.next_run_at ? <Instant at={flow.next_run_at} /> : none}</Table.Td>
      <Table.Td>
        <LastRun flow={flow} />
      </Table.Td>
      <Table.Td visibleFrom="sm">
        <Spark results={flow.results ?? []} />
      </Table.Td>
      <Table.Td ta="end">
        <FlowActions flow={flow} />
      </Table.Td>
    </Table.Tr>
  );
}

function Name({ flow }: { flow: Flow }) {
  return (
    <>
      <Group gap={6}>
        <Link to="/flows/$flow/canvas" params={{ flow: String(flow.id) }} className="row-link">
          {flow.name}
        </Link>
        {!flow.is_enabled && (
          <Badge size="sm" color="gray" variant="outline" hiddenFrom="md">
            Disabled
          </Badge>
        )}
        {flow.labels.map((label) => (
          <Link key={label} to="/flows" search={{ label }} className="badge-link" aria-label={`Flows with the label ${label}`}>
            <Badge size="sm" color="gray" className="given" style={{ cursor: "pointer" }}>
              {label}
            </Badge>
          </Link>
        ))}
      </Group>
      {flow.description && (
        <Text size="xs" c="dimmed" lineClamp={1}>
          {flow.description}
        </Text>
      )}
    </>
  );
}

function Versions({ flow }: { flow: Flow }) {
  const { deployed_version: deployed, current_version: current } = flow;
  const draft = current?.is_editable ? current : undefined;
  if (!deployed && !draft) return none;
  return (
    <Group gap={4} wrap="nowrap">
      {deployed && <Badge color="teal">{deployed.iteration} deployed</Badge>}
      {draft && <Badge color="blue">{draft.iteration} draft</Badge>}
    </Group>
  );
}

function LastRun({ flow }: { flow: Flow }) {
  const { latest_run: run } = flow;
  if (!run) return none;
  return (
    <Group gap={6} className="together">
      <Link to="/runs/$run" params={{ run: String(run.id) }} className="badge-link">
        <RunStatus status={run.status} waits={run.resume_at !== undefined} />
        <VisuallyHidden>, run {run.id}</VisuallyHidden>
      </Link>
      <Instant at={run.queued_at} />
    </Group>
  );
}
