// Two versions side by side: what was added, removed, changed and rewired, and how each does.
import { ActionIcon, Group, Select, Stack } from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";

import { type ApiError, call } from "../api/client";
import type { Version } from "../api/contract";
import { useRead } from "../api/hooks";
import { useGraph } from "../canvas/reading";
import { Icon } from "../ui/Icon";
import { useMe } from "../ui/me";
import { Empty, Failure, Loading } from "../ui/parts";
import { Changes } from "../versions/Changes";
import { compare, type Side } from "../versions/compare";
import { SideBySide } from "../versions/SideBySide";
import { Deploy } from "./Deploy";

export function Compare() {
  const { flow } = useParams({ from: "/shell/flows/$flow" });
  const { from, to } = useSearch({ from: "/shell/flows/$flow/compare" });
  const navigate = useNavigate({ from: "/flows/$flow/compare" });
  const { may } = useMe();
  const { versions, error } = useVersions(flow, [from, to]);
  if (error) return <Failure error={error} />;
  if (!versions) return <Loading />;
  const newer = versions.find(({ id }) => id === to) ?? versions[0];
  const older = versions.find(({ id }) => id === from) ?? versions.find((one) => one.is_deployed && one !== newer) ?? versions.find((one) => one !== newer);
  if (!newer || !older) return <Empty title="There is one version only">Copy it to a draft and change it; then the two can be compared.</Empty>;
  // The newer one is what one thinks of releasing; is it released already, then one looks for the way back.
  const deployable = [newer, older].find((one) => !one.is_deployed);
  const options = versions.map(({ id, iteration, status, label }) => ({ value: String(id), label: `Version ${iteration}, ${status}${label ? `, ${label}` : ""}` }));
  const show = (ids: { from: number; to: number }) => void navigate({ search: ids });
  return (
    <Stack>
      <Group gap="xs">
        <Select aria-label="From version" w={220} searchable limit={50} allowDeselect={false} data={options} value={String(older.id)} onChange={(id) => show({ from: Number(id), to: newer.id })} />
        <ActionIcon variant="subtle" color="gray" aria-label="The other way round" onClick={() => show({ from: newer.id, to: older.id })}>
          <Icon name="swap" />
        </ActionIcon>
        <Select aria-label="To version" w={220} searchable limit={50} allowDeselect={false} data={options} value={String(newer.id)} onChange={(id) => show({ from: older.id, to: Number(id) })} />
        {deployable && may("manager") && <Deploy key={deployable.id} flow={Number(flow)} version={deployable} isNamed />}
      </Group>
      <Differences before={older} after={newer} />
      <SideBySide flow={flow} versions={[older, newer]} />
    </Stack>
  );
}

/** The newest versions of a flow, the deployed one, and those that are asked for, however old these are. */
function useVersions(flow: string, ids: Array<number | undefined>): { versions?: Version[]; error: ApiError | null } {
  const listed = useRead("list_versions", { path: { flow }, query: { per_page: 100, sort: "-created_at" } });
  const about = useRead("get_flow", { path: { flow }, query: { include: "deployedVersion" } });
  const wanted = [...ids, about.data?.data.deployed_version?.id];
  const known = new Set(listed.data?.data.map(({ id }) => id));
  const older = [...new Set(wanted)].filter((id): id is number => id !== undefined && listed.data !== undefined && !known.has(id));
  const found = useQueries({ queries: older.map((version) => ({ queryKey: ["get_version", { path: { flow, version } }], queryFn: () => call("get_version", { path: { flow, version } }) })) });
  const error = listed.error ?? about.error ?? found.map((one) => one.error as ApiError | null).find(Boolean) ?? null;
  if (!listed.data || !about.data || found.some(({ data }) => !data)) return { error };
  return { versions: [...listed.data.data, ...found.flatMap(({ data }) => data?.data ?? [])], error };
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
