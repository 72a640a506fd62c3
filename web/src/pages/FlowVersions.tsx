// The versions of a flow: who made each and why, how it does, and what can be done with it.
import { Badge, Group, Stack, Text } from "@mantine/core";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";

import type { Version } from "../api/contract";
import { useRead } from "../api/hooks";
import { duration, many } from "../ui/format";
import { Empty, Instant, RunStatus, VersionStatus } from "../ui/parts";
import { Records } from "../ui/Records";
import { useResults, wasReleased } from "../versions/results";
import { VersionActions } from "../versions/VersionActions";

export function FlowVersions() {
  const { flow } = useParams({ from: "/shell/flows/$flow" });
  const { page } = useSearch({ from: "/shell/flows/$flow/versions" });
  const navigate = useNavigate({ from: "/flows/$flow/versions" });
  const found = useRead("list_versions", { path: { flow }, query: { sort: "-created_at", per_page: 25, page, include: "latestRun,savedByUser,deployedByUser" } });
  const newest = useRead("list_versions", { path: { flow }, query: { sort: "-created_at", per_page: 1 } });
  // A draft is the newest version of its flow, always.
  const draft = newest.data?.data.find((version) => version.is_editable);
  const results = useResults(flow, found.data?.data.map(({ id }) => id));
  return (
    <Records
      found={found}
      minWidth={900}
      onPage={(next) => void navigate({ search: { page: next } })}
      empty={<Empty title="There is no version">Make one from the canvas.</Empty>}
      columns={[
        { title: "Version", isLong: true, cell: (version) => <About version={version} /> },
        { title: "State", cell: (version) => <State version={version} /> },
        { title: "Saved", cell: ({ saved_at, saved_by_user }) => <Done at={saved_at} by={saved_by_user?.email} /> },
        { title: "30 days", cell: (version) => <span style={{ whiteSpace: "nowrap" }}>{many(results?.get(version.id)?.ended ?? 0, wasReleased(version) ? "run" : "test run")}</span> },
        { title: "Success", cell: ({ id }) => results?.get(id)?.share ?? "—" },
        { title: "p95", cell: ({ id }) => <Slow ms={results?.get(id)?.p95} /> },
        { title: "Latest run", cell: (version) => <Latest version={version} /> },
      ]}
      actions={(version) => <VersionActions version={version} draft={draft} />}
    />
  );
}

function About({ version }: { version: Version }) {
  return (
    <Stack gap={0} maw={280}>
      <Group gap={6} wrap="nowrap">
        <Link to="/flows/$flow/canvas" params={{ flow: String(version.flow_id) }} search={{ version: version.id }} className="row-link">
          {version.iteration}
        </Link>
        {version.label && <Badge color="gray" className="given" title={version.label}>{version.label}</Badge>}
      </Group>
      <Text size="xs" c="dimmed" lineClamp={2} title={version.message}>
        {version.message}
      </Text>
    </Stack>
  );
}

function State({ version: { status, deployed_at, deployed_by_user } }: { version: Version }) {
  return (
    <>
      <VersionStatus status={status} />
      {deployed_at && (
        <Text size="xs" c="dimmed" maw={150} truncate title={deployed_by_user?.email}>
          <Instant at={deployed_at} /> by {deployed_by_user?.email ?? "somebody"}
        </Text>
      )}
    </>
  );
}

function Done({ at, by }: { at: string | undefined; by: string | undefined }) {
  return (
    <>
      <Instant at={at} />
      {by && (
        <Text size="xs" c="dimmed" maw={150} truncate title={by}>
          {by}
        </Text>
      )}
    </>
  );
}

function Slow({ ms }: { ms: number | undefined }) {
  return <span style={{ whiteSpace: "nowrap" }}>{ms === undefined ? "—" : duration(ms)}</span>;
}

function Latest({ version: { latest_run: run } }: { version: Version }) {
  if (!run) return <>—</>;
  return (
    <Group gap={6} wrap="nowrap">
      <RunStatus status={run.status} />
      <Link to="/runs/$run" params={{ run: String(run.id) }}>
        <Instant at={run.queued_at} />
      </Link>
    </Group>
  );
}
