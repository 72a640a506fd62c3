// A list of runs.
import { Table, Text, Tooltip } from "@mantine/core";
import { Link } from "@tanstack/react-router";

import type { Run } from "../api/contract";
import { duration } from "../ui/format";
import { Icon } from "../ui/Icon";
import { lead } from "../ui/lead";
import { Instant, RunStatus } from "../ui/parts";

export function RunTable({ runs, flows }: { runs: Run[]; flows?: Map<number, string> }) {
  return (
    <Table.ScrollContainer minWidth={640} className="card stacks">
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Run</Table.Th>
            <Table.Th>State</Table.Th>
            {flows && <Table.Th>Flow</Table.Th>}
            <Table.Th>Version</Table.Th>
            <Table.Th>Trigger</Table.Th>
            <Table.Th>Queued</Table.Th>
            <Table.Th>Took</Table.Th>
            <Table.Th>What happened</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {runs.map((run) => (
            <Table.Tr key={run.id} onClick={lead}>
              <Table.Td data-title="Run">
                <Link to="/runs/$run" params={{ run: String(run.id) }} className="row-link">
                  {run.id}
                </Link>
              </Table.Td>
              <Table.Td data-title="State" style={{ whiteSpace: "nowrap" }}>
                <RunStatus status={run.status} waits={run.resume_at !== undefined} />{" "}
                {run.has_warnings && (
                  <Tooltip label="It has warnings">
                    <span role="img" aria-label="It has warnings">
                      <Icon name="warning" size={13} />
                    </span>
                  </Tooltip>
                )}
              </Table.Td>
              {flows && (
                <Table.Td data-title="Flow" maw={240}>
                  <Text size="sm" truncate title={flows.get(run.flow_id)}>
                    {flows.get(run.flow_id) ?? `Flow ${run.flow_id}`}
                  </Text>
                </Table.Td>
              )}
              <Table.Td data-title="Version">{run.iteration}</Table.Td>
              <Table.Td data-title="Trigger">{run.trigger}</Table.Td>
              <Table.Td data-title="Queued" style={{ whiteSpace: "nowrap" }}>
                <Instant at={run.queued_at} />
              </Table.Td>
              <Table.Td data-title="Took" style={{ whiteSpace: "nowrap" }}>{run.duration_ms === undefined ? "" : duration(run.duration_ms)}</Table.Td>
              <Table.Td data-title="What happened">
                <Fault of={run} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Fault({ of: { summary } }: { of: Run }) {
  const { message } = (summary?.error ?? {}) as { message?: string };
  if (!message) return null;
  return (
    <Text size="xs" c="dimmed" lineClamp={1} style={{ wordBreak: "break-all" }}>
      {message}
    </Text>
  );
}
