// Two versions side by side: what was added, removed, changed and rewired, and how each does.
import { Badge, Grid, Group, Select, Stack, Table, Text } from "@mantine/core";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";

import type { Version } from "../api/contract";
import { useRead } from "../api/hooks";
import { useGraph } from "../canvas/reading";
import { Empty, Failure, Loading } from "../ui/parts";
import { compare, type FieldChange, type Side, type StepChange } from "../versions/compare";
import { useResults } from "../versions/results";

const KIND_COLORS = { added: "teal", removed: "red", changed: "blue" } as const;

export function Compare() {
  const { flow } = useParams({ from: "/shell/flows/$flow" });
  const { from, to } = useSearch({ from: "/shell/flows/$flow/compare" });
  const navigate = useNavigate({ from: "/flows/$flow/compare" });
  const listed = useRead("list_versions", { path: { flow }, query: { per_page: 100, sort: "-created_at" } });
  if (listed.error) return <Failure error={listed.error} />;
  if (!listed.data) return <Loading />;
  const versions = listed.data.data;
  const newer = versions.find(({ id }) => id === to) ?? versions[0];
  const older = versions.find(({ id }) => id === from) ?? versions.find((one) => one.is_deployed && one !== newer) ?? versions[1];
  if (!newer || !older) return <Empty title="There is one version only">Copy it to a draft and change it; then the two can be compared.</Empty>;
  const options = versions.map(({ id, iteration, status }) => ({ value: String(id), label: `Version ${iteration}, ${status}` }));
  return (
    <Stack>
      <Group gap="xs">
        <Select aria-label="From version" w={220} allowDeselect={false} data={options} value={String(older.id)} onChange={(id) => void navigate({ search: (old) => ({ ...old, from: Number(id) }) })} />
        <Text size="sm">to</Text>
        <Select aria-label="To version" w={220} allowDeselect={false} data={options} value={String(newer.id)} onChange={(id) => void navigate({ search: (old) => ({ ...old, to: Number(id) }) })} />
      </Group>
      <Changes before={older} after={newer} />
      <Results flow={flow} versions={[older, newer]} />
    </Stack>
  );
}

function useSide(version: Version): Side | undefined {
  const graph = useGraph(version.id);
  const about = useRead("get_version", { path: { flow: version.flow_id, version: version.id }, query: { include: "variables,schedules" } });
  if (!graph.data || !about.data) return undefined;
  const { variables = {}, schedules = [] } = about.data.data;
  return { graph: graph.data.graph, variables, schedules };
}

function Changes({ before, after }: { before: Version; after: Version }) {
  const old = useSide(before);
  const now = useSide(after);
  if (!old || !now) return <Loading />;
  const { steps, variables, schedules } = compare(old, now);
  if (!steps.length && !variables.length && !schedules.length) return <Empty title="The two versions do the same">Steps, variables and schedules are alike.</Empty>;
  return (
    <Stack>
      {steps.map((step) => (
        <StepDifference key={step.key} step={step} />
      ))}
      {variables.length > 0 && <Block title="Variables" changes={variables} />}
      {schedules.length > 0 && <Block title="Schedules" changes={schedules} />}
    </Stack>
  );
}

function StepDifference({ step }: { step: StepChange }) {
  return (
    <Stack className="card" p="sm" gap="xs">
      <Group gap="xs">
        <Badge color={KIND_COLORS[step.kind]}>{step.kind}</Badge>
        <Text fw={600} size="sm">
          {step.name}
        </Text>
      </Group>
      {step.fields.length > 0 && <Fields changes={step.fields} isNew={step.kind === "added"} />}
    </Stack>
  );
}

function Block({ title, changes }: { title: string; changes: FieldChange[] }) {
  return (
    <Stack className="card" p="sm" gap="xs">
      <Text fw={600} size="sm">
        {title}
      </Text>
      <Fields changes={changes} isNew={false} />
    </Stack>
  );
}

function Fields({ changes, isNew }: { changes: FieldChange[]; isNew: boolean }) {
  return (
    <Table fz="xs" layout="fixed">
      <Table.Tbody>
        {changes.map(({ field, before, after }) => (
          <Table.Tr key={field}>
            <Table.Td w="24%">{field}</Table.Td>
            {!isNew && <Table.Td className="mono before">{written(before)}</Table.Td>}
            <Table.Td className="mono after">{written(after)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function written(value: unknown): string {
  return value === undefined ? "—" : typeof value === "string" ? value : JSON.stringify(value);
}

function Results({ flow, versions }: { flow: string; versions: Version[] }) {
  const results = useResults(flow);
  return (
    <Grid>
      {versions.map((version) => {
        const result = results?.get(version.id);
        return (
          <Grid.Col key={version.id} span={6}>
            <Stack className="card" p="sm" gap={2}>
              <Text fw={600} size="sm">
                Version {version.iteration}, last 30 days
              </Text>
              <Text size="sm">{result ? result.summary : "It did not run."}</Text>
            </Stack>
          </Grid.Col>
        );
      })}
    </Grid>
  );
}
