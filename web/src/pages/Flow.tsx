// What all pages of a flow share: its name, its switch, and the way between them.
import { Switch, Tabs, Text } from "@mantine/core";
import { Outlet, useLocation, useNavigate, useParams } from "@tanstack/react-router";

import { useChange, useRead } from "../api/hooks";
import { useMe } from "../ui/me";
import { Failure, Loading, PageTitle } from "../ui/parts";
import { tell } from "../ui/tell";

const TABS = [
  ["canvas", "Canvas"],
  ["versions", "Versions"],
  ["compare", "Compare"],
  ["runs", "Runs"],
  ["schedules", "Schedules"],
  ["metrics", "Metrics"],
  ["settings", "Settings"],
] as const;

export function Flow() {
  const { flow } = useParams({ from: "/shell/flows/$flow" });
  const here = useLocation().pathname.split("/")[3] ?? "canvas";
  const navigate = useNavigate();
  const { may } = useMe();
  const found = useRead("get_flow", { path: { flow }, query: { include: "deployedVersion" } });
  const update = useChange("update_flow");
  if (found.error) {
    return (
      <>
        <PageTitle title={`Flow ${flow}`} />
        <Failure error={found.error} again={() => void found.refetch()} />
      </>
    );
  }
  if (!found.data) return <Loading />;
  const { name, description, is_enabled, deployed_version } = found.data.data;
  return (
    <>
      <PageTitle title={name}>
        {deployed_version && (
          <Text size="xs" c="dimmed">
            Version {deployed_version.iteration} is deployed
          </Text>
        )}
        <Switch
          label={deployed_version ? "Enabled" : "Enabled once a version is deployed"}
          checked={is_enabled}
          disabled={!may("manager")}
          onChange={(event) => update.mutate({ path: { flow }, body: { is_enabled: event.currentTarget.checked } }, { onError: tell.failed })}
        />
      </PageTitle>
      {description && (
        <Text size="sm" c="dimmed" mb="xs" lineClamp={2}>
          {description}
        </Text>
      )}
      <Tabs value={here} onChange={(tab) => void navigate({ to: `/flows/${flow}/${tab}` })} mb="sm">
        <Tabs.List>
          {TABS.map(([value, label]) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
      </Tabs>
      <Outlet />
    </>
  );
}
