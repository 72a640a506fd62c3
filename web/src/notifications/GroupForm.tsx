// The form of a notification group: its channels, each with where it leads.
import { ActionIcon, Button, Group, Select, Stack, TagsInput, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";

import type { ChannelView, NotificationGroup, NotificationGroupCreate } from "../api/contract";
import { useChange } from "../api/hooks";
import { FormButtons } from "../ui/FormButtons";
import { Icon } from "../ui/Icon";
import { Failure } from "../ui/parts";
import { kept, type Secret, Secrets, sent } from "../ui/Secrets";
import { CHANNEL_CHOICES } from "./channels";

interface Channel {
  type: ChannelView["type"];
  to: string[];
  url: string;
  secrets: Secret[];
}

const NEW: Channel = { type: "email", to: [], url: "", secrets: [] };

export function GroupForm({ group, onDone }: { group?: NotificationGroup; onDone: () => void }) {
  const [name, setName] = useState(group?.name ?? "");
  const [channels, setChannels] = useState<Channel[]>(() => group?.channels.map(edited) ?? [NEW]);
  const create = useChange("create_notification_group", { onSuccess: onDone });
  const update = useChange("update_notification_group", { onSuccess: onDone });
  const error = create.error ?? update.error;
  const set = (at: number, change: Partial<Channel>) => setChannels(channels.map((old, index) => (index === at ? { ...old, ...change } : old)));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const body = { name, channels: channels.map(bodyOf) };
    if (group) update.mutate({ path: { notification_group: group.id }, body });
    else create.mutate({ body });
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label="Name" required data-autofocus value={name} error={error?.errors.name?.join(" ")} onChange={(event) => setName(event.currentTarget.value)} />
        <Text size="sm" fw={500}>
          Channels
        </Text>
        {channels.map((channel, index) => (
          <ChannelFields key={index} number={index + 1} channel={channel} onChange={(change) => set(index, change)} onRemove={() => setChannels(channels.filter((_, at) => at !== index))} />
        ))}
        <Button variant="subtle" size="compact-xs" w="fit-content" onClick={() => setChannels([...channels, NEW])}>
          Add a channel
        </Button>
        {error && <Failure error={error} />}
        <FormButtons saving={create.isPending || update.isPending} onCancel={onDone} />
      </Stack>
    </form>
  );
}

interface ChannelProps {
  number: number;
  channel: Channel;
  onChange: (change: Partial<Channel>) => void;
  onRemove: () => void;
}

function ChannelFields({ number, channel, onChange, onRemove }: ChannelProps) {
  return (
    <Stack gap={6} className="card" p="xs">
      <Group gap={4} wrap="nowrap" align="start">
        <Select aria-label={`Channel ${number}`} w={150} allowDeselect={false} data={CHANNEL_CHOICES} value={channel.type} onChange={(type) => onChange({ type: type as Channel["type"] })} />
        {channel.type === "email" && <TagsInput aria-label="Addresses" flex={1} placeholder={channel.to.length ? undefined : "ops@example.com"} value={channel.to} onChange={(to) => onChange({ to })} />}
        {channel.type === "webhook" && <TextInput aria-label="URL" flex={1} placeholder="https://chat.example/hooks/{{token}}" value={channel.url} onChange={(event) => onChange({ url: event.currentTarget.value })} />}
        {channel.type === "log" && <Text flex={1} />}
        <ActionIcon variant="subtle" color="gray" aria-label={`Remove channel ${number}`} onClick={onRemove}>
          <Icon name="close" />
        </ActionIcon>
      </Group>
      {channel.type === "webhook" && <Secrets description="Filled in where the URL says {{name}}" secrets={channel.secrets} onChange={(secrets) => onChange({ secrets })} />}
    </Stack>
  );
}

function edited({ type, to = [], url = "", secrets }: ChannelView): Channel {
  return { type, to, url, secrets: kept(secrets) };
}

function bodyOf({ type, to, url, secrets }: Channel): NotificationGroupCreate["channels"][number] {
  if (type === "email") return { type, to };
  if (type === "log") return { type };
  return { type, url, ...(secrets.length ? { secrets: sent(secrets) } : {}) };
}
