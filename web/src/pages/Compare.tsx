// Two versions side by side: what was added, removed, changed and rewired, and how each does.
import { ActionIcon, Group, Select, Stack } from "@mantine/core";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";

import type { ApiError } from "../api/client";
import type { Version } from "../api/contract";
import { useRead } from "../api/hooks";
import { useGraph } from "../canvas/reading";
import { Icon } from "../ui/Icon";
import { Empty, Failure, Loading } from "../ui/parts";
import { Changes } from "../versions/Changes";
import { compare, type Side } from "../versions/compare";
import { SideBySide } from "../versions/SideBySide";

export function Compare() {
  const { flow } = useParams({ from: "/shell/flows/$flow" });
  const { from, to } = useSearch({ from: "/shell/flows/$flow/compare" });
  const navigate = useNavigate({ from: "/flows/$flow/compare" });
  const listed = useRead("list_versions", { path: { flow }, query: { per_page: 100, sort: "-created_at" } });
  if (listed.error) return <Failure error={listed.error} />;
  if (!listed.data) return <Loading />;
  const versions = listed.data.data;
  const newer = versions.find(({ id }) => id === to) ?? versions[0];
  const older = versions.find(({ id }) => id === from) ?? versions.find((one) => one.is_deployed && one !== newer) ?? versions.find((one) => one !== newer);
  if (!newer || !older) return <Empty title="There is one version only">Copy it to a draft and change it; then the two can be compared.</Empty>;
  const options = versions.map(({ id, iteration, status, label }) => ({ value: String(id), label: `Version ${iteration}, ${status}${label ? `, ${label}` : ""}` }));
  const show = (ids: { from: number; to: number }) => void navigate({ search: ids });
  return (
    <Stack>
      <Group gap="xs">
        <Select aria-label="From version" w={220} searchable allowDeselect={false} data={options} value={String(older.id)} onChange={(id) => show({ from: Number(id), to: newer.id })} />
        <ActionIcon variant="subtle" color="gray" aria-label="The other way round" onClick={() => show({ from: newer.id, to: older.id })}>
          <Icon name="swap" />
        </ActionIcon>
        <Select aria-label="To version" w={220} searchable allowDeselect={false} data={options} value={String(newer.id)} onChange={(id) => show({ from: older.id, to: Number(id) })} />
      </Group>
      <Differences before={older} after={newer} />
      <SideBySide flow={flow} versions={[older, newer]} />
    </Stack>
  );
}

function Differences({ before, after }: { before: Version; after: Version }) {
  const old = useSide(before);
  const now = useSide(after);
  const error = old.error ?? now.error;
  if (error) return <Failure error={error} />;
  if (!old.side || !now.side) return <Loading />;
  const found = compare(old.side, now.side);
  if (!found.steps.length && !found.variables.length && !found.schedules.length) return <Empty title="The two versions do the same">Steps, variables and schedules are alike.</Empty>;
  return <Changes found={found} />;
}

function useSide(version: Version): { side?: Side; error: ApiError | null } {
  const graph = useGraph(version.id);
  const about = useRead("get_version", { path: { flow: version.flow_id, version: version.id }, query: { include: "variables,schedules" } });
  if (!graph.data || !about.data) return { error: graph.error ?? about.error };
  const { variables = {}, secrets = [], schedules = [] } = about.data.data;
  return { side: { graph: graph.data.graph, variables, secrets, schedules }, error: null };
}
