// Who is told, and by which channels.
import { ActionIcon, Button, Group, Modal, Select, Stack, TagsInput, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";

import type { NotificationGroup, NotificationGroupCreate } from "../api/contract";
import { useChange, useRead } from "../api/hooks";
import { FormButtons } from "../ui/FormButtons";
import { Confirm } from "../ui/Confirm";
import { Icon } from "../ui/Icon";
import { useMe } from "../ui/me";
import { Empty, Failure, Instant, PageTitle } from "../ui/parts";
import { Records } from "../ui/Records";
import { tell } from "../ui/tell";

type Channel = NotificationGroupCreate["channels"][number];
const NEW: Record<Channel["type"], Channel> = { email: { type: "email", to: [] }, webhook: { type: "webhook", url: "" }, log: { type: "log" } };
const TYPES = [
  { value: "email", label: "E-mail" },
  { value: "webhook", label: "Webhook" },
  { value: "log", label: "The server's log" },
];

export function NotificationGroups() {
  const { may } = useMe();
  const [edited, setEdited] = useState<NotificationGroup | "new">();
  const [page, setPage] = useState(1);
  const found = useRead("list_notification_groups", { query: { per_page: 25, page } });
  const remove = useChange("delete_notification_group");
  const test = useChange("test_notification_group", { onSuccess: ({ data }) => tell.done(`${data.length} messages are on their way.`) });
  return (
    <>
      <PageTitle title="Notification groups">{may("manager") && <Button onClick={() => setEdited("new")}>New group</Button>}</PageTitle>
      <Records
        found={found}
        onPage={setPage}
        empty={<Empty title="Nobody is told anything yet">A group says who hears of failures, recoveries and silence, by mail, webhook or log. Flows and notify steps name it.</Empty>}
        columns={[
          { title: "Name", cell: ({ name }) => name },
          { title: "Channels", cell: ({ channels }) => channels.map(({ type, to, url }) => to?.join(", ") ?? url ?? type).join("; ") },
          { title: "Changed", cell: ({ updated_at }) => <Instant at={updated_at} /> },
        ]}
        actions={(group) =>
          may("manager") && (
            <Group gap={4} justify="end" wrap="nowrap">
              <Button variant="default" onClick={() => test.mutate({ path: { notification_group: group.id } }, { onError: tell.failed })}>
                Send a test
              </Button>
              <Button variant="default" onClick={() => setEdited(group)}>
                Edit
              </Button>
              <Confirm label="Delete" variant="subtle" color="red" title={`Delete the group ${group.name}?`} onConfirm={() => remove.mutate({ path: { notification_group: group.id } }, { onError: tell.failed })}>
                Flows that name it tell nobody any more.
              </Confirm>
            </Group>
          )
        }
      />
      <Modal opened={edited !== undefined} onClose={() => setEdited(undefined)} title={edited === "new" ? "New group" : "Edit the group"}>
        {edited && <Editor group={edited === "new" ? undefined : edited} onDone={() => setEdited(undefined)} />}
      </Modal>
    </>
  );
}

function Editor({ group, onDone }: { group?: NotificationGroup; onDone: () => void }) {
  const [name, setName] = useState(group?.name ?? "");
  const [channels, setChannels] = useState<Channel[]>(() => (group?.channels as Channel[] | undefined) ?? [NEW.email]);
  const create = useChange("create_notification_group", { onSuccess: onDone });
  const update = useChange("update_notification_group", { onSuccess: onDone });
  const error = create.error ?? update.error;
  const set = (at: number, channel: Channel) => setChannels(channels.map((old, index) => (index === at ? channel : old)));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (group) update.mutate({ path: { notification_group: group.id }, body: { name, channels } });
    else create.mutate({ body: { name, channels } });
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label="Name" required data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <Text size="sm" fw={500}>
          Channels
        </Text>
        {channels.map((channel, index) => (
          <Group key={index} gap={4} wrap="nowrap" align="start">
            <Select aria-label={`Channel ${index + 1}`} w={130} allowDeselect={false} data={TYPES} value={channel.type} onChange={(type) => set(index, NEW[type as Channel["type"]])} />
            {channel.type === "email" && <TagsInput aria-label="Addresses" flex={1} placeholder="ops@example.com" value={channel.to} onChange={(to) => set(index, { ...channel, to })} />}
            {channel.type === "webhook" && <TextInput aria-label="URL" flex={1} placeholder="https://" value={channel.url} onChange={(event) => set(index, { ...channel, url: event.currentTarget.value })} />}
            <ActionIcon variant="subtle" color="gray" aria-label={`Remove channel ${index + 1}`} onClick={() => setChannels(channels.filter((_, at) => at !== index))}>
              <Icon name="close" />
            </ActionIcon>
          </Group>
        ))}
        <Button variant="subtle" size="compact-xs" w="fit-content" onClick={() => setChannels([...channels, NEW.email])}>
          Add a channel
        </Button>
        {error && <Failure error={error} />}
        <FormButtons saving={create.isPending || update.isPending} onCancel={onDone} />
      </Stack>
    </form>
  );
}
