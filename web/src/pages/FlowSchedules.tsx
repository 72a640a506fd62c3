// The schedules of a flow's draft and of its deployed version, with the times at which they fire next.
import { Button, Group, Modal, Select, Stack, Table, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useParams } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";

import type { Schedule, ScheduleCreate, Version } from "../api/contract";
import { useChange, useRead } from "../api/hooks";
import { FormButtons } from "../ui/FormButtons";
import { Confirm } from "../ui/Confirm";
import { useMe } from "../ui/me";
import { Empty, Failure, Instant, Loading, VersionStatus } from "../ui/parts";
import { tell } from "../ui/tell";

const ZONES = Intl.supportedValuesOf("timeZone");
const HERE = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function FlowSchedules() {
  const { flow } = useParams({ from: "/shell/flows/$flow" });
  const versions = useRead("list_versions", { path: { flow }, query: { per_page: 100, sort: "-created_at" } });
  if (versions.error) return <Failure error={versions.error} again={() => void versions.refetch()} />;
  if (!versions.data) return <Loading />;
  const shown = versions.data.data.filter((version) => version.is_editable || version.is_deployed);
  if (!shown.length) return <Empty title="No version is deployed, and there is no draft">Copy a version to a draft to give it schedules.</Empty>;
  return (
    <Stack>
      {shown.map((version) => (
        <OfVersion key={version.id} version={version} />
      ))}
    </Stack>
  );
}

function OfVersion({ version }: { version: Version }) {
  const { may } = useMe();
  const [edited, setEdited] = useState<Schedule | "new">();
  const editable = version.is_editable && may("manager");
  const path = { flow_version: version.id };
  const found = useRead("list_schedules", { path, query: { per_page: 100 } });
  const remove = useChange("delete_schedule");
  return (
    <Stack gap="xs">
      <Group justify="space-between">
        <Group gap="xs">
          <Text fw={600}>Version {version.iteration}</Text>
          <VersionStatus status={version.status} />
        </Group>
        {editable ? (
          <Button onClick={() => setEdited("new")}>Add a schedule</Button>
        ) : (
          <Text size="xs" c="dimmed">
            A deployed version never changes; edit the draft and deploy it.
          </Text>
        )}
      </Group>
      {found.error && <Failure error={found.error} />}
      {found.data?.data.length === 0 && <Empty title="No schedule">{version.is_deployed ? "The deployed version does not run by itself." : "Add one and it runs by itself once the version is deployed."}</Empty>}
      {found.data && found.data.data.length > 0 && (
        <Table.ScrollContainer minWidth={560} className="card">
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Cron</Table.Th>
                <Table.Th>Zone</Table.Th>
                <Table.Th>When one is still running</Table.Th>
                <Table.Th>Next</Table.Th>
                <Table.Th />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {found.data.data.map((schedule) => (
                <Table.Tr key={schedule.id}>
                  <Table.Td className="mono">{schedule.cron_string}</Table.Td>
                  <Table.Td>{schedule.timezone}</Table.Td>
                  <Table.Td>{schedule.overlap}</Table.Td>
                  <Table.Td>
                    <Instant at={schedule.next_run_at} />
                  </Table.Td>
                  <Table.Td>
                    {editable && (
                      <Group gap={4} justify="end">
                        <Button variant="default" onClick={() => setEdited(schedule)}>
                          Edit
                        </Button>
                        <Confirm label="Delete" variant="subtle" color="red" title={`Delete the schedule ${schedule.cron_string}?`} onConfirm={() => remove.mutate({ path: { ...path, schedule: schedule.id } }, { onError: tell.failed })}>
                          The draft will not have it any more. What is deployed goes on as it is until the draft is deployed.
                        </Confirm>
                      </Group>
                    )}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      <Modal opened={edited !== undefined} onClose={() => setEdited(undefined)} title={edited === "new" ? "Add a schedule" : "Edit the schedule"} size="lg">
        {edited && <Editor version={version} schedule={edited === "new" ? undefined : edited} onDone={() => setEdited(undefined)} />}
      </Modal>
    </Stack>
  );
}

function Editor({ version, schedule, onDone }: { version: Version; schedule?: Schedule; onDone: () => void }) {
  const [fields, setFields] = useState<ScheduleCreate>({
    cron_string: schedule?.cron_string ?? "0 6 * * 1-5",
    timezone: schedule?.timezone ?? HERE,
    overlap: (schedule?.overlap as ScheduleCreate["overlap"]) ?? "queue",
    catch_up: (schedule?.catch_up as ScheduleCreate["catch_up"]) ?? "latest",
    dst_gap: (schedule?.dst_gap as ScheduleCreate["dst_gap"]) ?? "next",
    dst_repeat: (schedule?.dst_repeat as ScheduleCreate["dst_repeat"]) ?? "first",
  });
  const set = (change: Partial<ScheduleCreate>) => setFields((old) => ({ ...old, ...change }));
  const create = useChange("create_schedule", { onSuccess: onDone });
  const update = useChange("update_schedule", { onSuccess: onDone });
  const error = create.error ?? update.error;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (schedule) update.mutate({ path: { flow_version: version.id, schedule: schedule.id }, body: fields });
    else create.mutate({ path: { flow_version: version.id }, body: fields });
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <Group grow align="start">
          <TextInput label="Cron" description="Minute, hour, day of the month, month, day of the week" required data-autofocus value={fields.cron_string} error={error?.errors.cron_string?.join(" ")} onChange={(event) => set({ cron_string: event.currentTarget.value })} styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }} />
          <Select label="Zone" description="Whose clock it goes by" searchable allowDeselect={false} data={ZONES.includes("UTC") ? ZONES : ["UTC", ...ZONES]} value={fields.timezone ?? "UTC"} onChange={(zone) => set({ timezone: zone ?? "UTC" })} />
        </Group>
        <Group grow align="start">
          <Select label="When one is still running" allowDeselect={false} data={[{ value: "queue", label: "Wait for it" }, { value: "skip", label: "Leave the slot out" }, { value: "allow", label: "Run beside it" }]} value={fields.overlap} onChange={(overlap) => set({ overlap: overlap as ScheduleCreate["overlap"] })} />
          <Select label="After a standstill" allowDeselect={false} data={[{ value: "latest", label: "Make up for the latest slot" }, { value: "all", label: "Make up for all slots" }, { value: "none", label: "Make up for none" }]} value={fields.catch_up} onChange={(catchUp) => set({ catch_up: catchUp as ScheduleCreate["catch_up"] })} />
        </Group>
        <Group grow align="start">
          <Select label="A time that the clock change leaves out" allowDeselect={false} data={[{ value: "next", label: "Run right after the gap" }, { value: "skip", label: "Do not run that day" }]} value={fields.dst_gap} onChange={(gap) => set({ dst_gap: gap as ScheduleCreate["dst_gap"] })} />
          <Select label="A time that comes twice" allowDeselect={false} data={[{ value: "first", label: "Run the first time" }, { value: "second", label: "Run the second time" }, { value: "both", label: "Run both times" }]} value={fields.dst_repeat} onChange={(repeat) => set({ dst_repeat: repeat as ScheduleCreate["dst_repeat"] })} />
        </Group>
        <Preview fields={fields} />
        {error && !error.errors.cron_string && <Failure error={error} />}
        <FormButtons saving={create.isPending || update.isPending} onCancel={onDone} />
      </Stack>
    </form>
  );
}

function Preview({ fields }: { fields: ScheduleCreate }) {
  const [settled] = useDebouncedValue(fields, 250);
  const preview = useRead("preview_schedule", { body: { ...settled, count: 10 } }, { placeholderData: (old) => old });
  if (preview.error) {
    return (
      <Text size="sm" c="red" role="alert">
        {preview.error.message}
      </Text>
    );
  }
  return (
    <Stack gap={2}>
      <Text size="xs" fw={600}>
        The next ten times
      </Text>
      <Table fz="xs" verticalSpacing={2}>
        <Table.Tbody>
          {preview.data?.data.map((slot) => (
            <Table.Tr key={slot.at}>
              <Table.Td className="mono">{slot.local.replace("T", " ")}</Table.Td>
              <Table.Td c="dimmed">UTC{slot.offset}</Table.Td>
              <Table.Td c="dimmed">
                <Instant at={slot.at} />
              </Table.Td>
              <Table.Td c="orange">{slot.note}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Stack>
  );
}
