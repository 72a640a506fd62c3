import { Button, Group, Table, Text } from "@mantine/core";
import { Link, useNavigate, useParams } from "@tanstack/react-router";

import type { Version } from "../api/contract";
import { useChange, useRead } from "../api/hooks";
import { Confirm } from "../ui/Confirm";
import { useMe } from "../ui/me";
import { Failure, Instant, Loading, RunStatus, VersionStatus } from "../ui/parts";
import { tell } from "../ui/tell";
import { useResults } from "../versions/results";
import { Deploy } from "./Deploy";

export function FlowVersions() {
  const { flow } = useParams({ from: "/shell/flows/$flow" });
  const found = useRead("list_versions", { path: { flow }, query: { sort: "-created_at", per_page: 100, include: "latestRun,savedByUser,deployedByUser" } });
  const results = useResults(flow);
  if (found.error) return <Failure error={found.error} again={() => void found.refetch()} />;
  if (!found.data) return <Loading />;
  return (
    <Table.ScrollContainer minWidth={760} className="card">
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Version</Table.Th>
            <Table.Th>State</Table.Th>
            <Table.Th>Steps</Table.Th>
            <Table.Th>Saved</Table.Th>
            <Table.Th>Deployed</Table.Th>
            <Table.Th>Latest run</Table.Th>
            <Table.Th>Last 30 days</Table.Th>
            <Table.Th />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {found.data.data.map((version) => (
            <VersionRow key={version.id} flow={Number(flow)} version={version} summary={results?.get(version.id)?.summary} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function VersionRow({ flow, version, summary }: { flow: number; version: Version; summary: string | undefined }) {
  const run = version.latest_run;
  return (
    <Table.Tr>
      <Table.Td>
        <Link to="/flows/$flow/canvas" params={{ flow: String(flow) }} search={{ version: version.id }} className="row-link">
          Version {version.iteration}
        </Link>
        {version.message && (
          <Text size="xs" c="dimmed">
            {version.message}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <VersionStatus status={version.status} />
      </Table.Td>
      <Table.Td>{version.steps_count}</Table.Td>
      <Table.Td>
        <Instant at={version.saved_at} /> <By email={version.saved_by_user?.email} />
      </Table.Td>
      <Table.Td>
        <Instant at={version.deployed_at} /> <By email={version.deployed_by_user?.email} />
      </Table.Td>
      <Table.Td>
        {run ? (
          <Group gap={6}>
            <RunStatus status={run.status} />
            <Link to="/runs/$run" params={{ run: String(run.id) }} className="row-link">
              <Instant at={run.queued_at} />
            </Link>
          </Group>
        ) : (
          <Text span c="dimmed" inherit>
            never ran
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <Text size="xs" c="dimmed">
          {summary}
        </Text>
      </Table.Td>
      <Table.Td>
        <Actions flow={flow} version={version} />
      </Table.Td>
    </Table.Tr>
  );
}

function By({ email }: { email: string | undefined }) {
  return email ? (
    <Text span size="xs" c="dimmed">
      by {email}
    </Text>
  ) : null;
}

function Actions({ flow, version }: { flow: number; version: Version }) {
  const { may } = useMe();
  const navigate = useNavigate();
  const copy = useChange("copy_version", {
    onSuccess: ({ data }) => void navigate({ to: "/flows/$flow/canvas", params: { flow: String(flow) }, search: { version: data.id } }),
  });
  const remove = useChange("delete_version", { onSuccess: ({ message }) => tell.done(message) });
  if (!may("manager")) return null;
  const path = { flow, version: version.id };
  return (
    <Group gap={6} justify="end" wrap="nowrap">
      {!version.is_editable && (
        <Button variant="default" loading={copy.isPending} onClick={() => copy.mutate({ path }, { onError: tell.failed })}>
          Copy to draft
        </Button>
      )}
      <Deploy flow={flow} version={version} />
      {!version.is_deployed && (
        <Confirm label="Delete" variant="subtle" color="red" title={`Delete version ${version.iteration}?`} onConfirm={() => remove.mutate({ path }, { onError: tell.failed })}>
          Its steps and schedules are gone for good. Its runs and metrics stay readable, and runs that have begun go on to their end.
        </Confirm>
      )}
    </Group>
  );
}
