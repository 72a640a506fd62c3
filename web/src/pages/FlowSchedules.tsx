// The schedules of a flow's draft and of its deployed version, with the times at which they fire next.
import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";

import type { Schedule, Version } from "../api/contract";
import { useChange, useRead } from "../api/hooks";
import { OVERLAP, worded } from "../schedules/choices";
import { parse } from "../schedules/cron";
import { ScheduleForm } from "../schedules/ScheduleForm";
import { SlotsModal } from "../schedules/Slots";
import { describe } from "../schedules/words";
import { Confirm } from "../ui/Confirm";
import { useMe } from "../ui/me";
import { Empty, Failure, Instant, Loading, VersionStatus } from "../ui/parts";
import { Records } from "../ui/Records";
import { tell } from "../ui/tell";
import { CopyToDraft } from "../versions/CopyToDraft";
import { Deploy } from "./Deploy";

export function FlowSchedules() {
  const { flow } = useParams({ from: "/shell/flows/$flow" });
  const about = useRead("get_flow", { path: { flow }, query: { include: "deployedVersion" } });
  // A draft is the newest version of its flow, always.
  const newest = useRead("list_versions", { path: { flow }, query: { per_page: 1, sort: "-created_at" } });
  const error = about.error ?? newest.error;
  if (error) return <Failure error={error} again={() => void Promise.all([about.refetch(), newest.refetch()])} />;
  if (!about.data || !newest.data) return <Loading />;
  const shown = [...newest.data.data.filter((version) => version.is_editable), ...(about.data.data.deployed_version ? [about.data.data.deployed_version] : [])];
  if (!shown.length) return <Empty title="No version is deployed, and there is no draft">On the page of its <Link to="/flows/$flow/versions" params={{ flow }}>versions</Link>, copy one to a draft to give it schedules.</Empty>;
  return (
    <Stack>
      {shown.map((version) => (
        <OfVersion key={version.id} version={version} hasDraft={shown.some((one) => one.is_editable)} />
      ))}
    </Stack>
  );
}

function OfVersion({ version, hasDraft }: { version: Version; hasDraft: boolean }) {
  const { may } = useMe();
  const [edited, setEdited] = useState<Schedule | "new">();
  const editable = version.is_editable && may("manager");
  const path = { flow_version: version.id };
  const [slotsOf, setSlotsOf] = useState<Schedule>();
  const [page, setPage] = useState(1);
  const found = useRead("list_schedules", { path, query: { per_page: 25, page } });
  const remove = useChange("delete_schedule");
  return (
    <Stack gap="xs">
      <Group justify="space-between">
        <Group gap="xs">
          <Text fw={600}>Version {version.iteration}</Text>
          <VersionStatus status={version.status} />
        </Group>
        {may("manager") && (version.is_editable ? <OfDraft version={version} onAdd={() => setEdited("new")} /> : <OfDeployed version={version} hasDraft={hasDraft} />)}
      </Group>
      <Records
        found={found}
        onPage={setPage}
        empty={<Empty title="No schedule">{version.is_deployed ? "The deployed version does not run by itself." : "Add one and it runs by itself once the version is deployed."}</Empty>}
        columns={[
          { title: "When", isLong: true, cell: (schedule) => <When cron={schedule.cron_string} /> },
          { title: "Zone", cell: ({ timezone }) => timezone },
          { title: "If still running", cell: ({ overlap }) => worded(OVERLAP, overlap) },
          { title: "Next", cell: ({ next_run_at }) => <Instant at={next_run_at} /> },
        ]}
        actions={(schedule) => (
          <Group gap={4} justify="end" wrap="nowrap">
            {!version.is_editable && (
              <Button variant="subtle" onClick={() => setSlotsOf(schedule)}>
                Past slots
              </Button>
            )}
            {editable && (
              <>
                <Button variant="default" onClick={() => setEdited(schedule)}>
                  Edit
                </Button>
                <Confirm label="Delete" variant="subtle" color="red" title={`Delete the schedule ${schedule.cron_string}?`} onConfirm={() => remove.mutate({ path: { ...path, schedule: schedule.id } }, { onError: tell.failed })}>
                  The draft will not have it any more. What is deployed goes on as it is until the draft is deployed.
                </Confirm>
              </>
            )}
          </Group>
        )}
      />
      <SlotsModal schedule={slotsOf} onClose={() => setSlotsOf(undefined)} />
      <Modal opened={edited !== undefined} onClose={() => setEdited(undefined)} title={edited === "new" ? "Add a schedule" : "Edit the schedule"} size="lg">
        {edited && <ScheduleForm version={version.id} schedule={edited === "new" ? undefined : edited} onDone={() => setEdited(undefined)} />}
      </Modal>
    </Stack>
  );
}

function OfDraft({ version, onAdd }: { version: Version; onAdd: () => void }) {
  return (
    <Group gap="xs">
      <Text size="xs" c="dimmed">
        They run once this version is deployed.
      </Text>
      <Button onClick={onAdd}>Add a schedule</Button>
      <Deploy flow={version.flow_id} version={version} isQuiet />
    </Group>
  );
}

function OfDeployed({ version, hasDraft }: { version: Version; hasDraft: boolean }) {
  return (
    <Group gap="xs">
      <Text size="xs" c="dimmed">
        A deployed version never changes{hasDraft ? "; the draft above takes its place once it is deployed." : "; change a draft of it and deploy that."}
      </Text>
      {!hasDraft && <CopyToDraft version={version} hasDraft={false} />}
    </Group>
  );
}

function When({ cron }: { cron: string }) {
  const read = parse(cron);
  return (
    <>
      {read && <Text size="sm">{describe(read)}</Text>}
      <Text c="dimmed" className="mono">
        {cron}
      </Text>
    </>
  );
}
