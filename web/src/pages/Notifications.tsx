// What was told to whom, and what could not be.
import { Anchor, Badge, Group, Modal, Select, Stack, Text } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";

import type { Notification } from "../api/contract";
import { usePage } from "../api/hooks";
import { CHANNEL_CHOICES, CHANNELS } from "../notifications/channels";
import { FlowSelect } from "../ui/FlowSelect";
import { NotificationTabs } from "../ui/NotificationTabs";
import { Empty, Instant, PageTitle } from "../ui/parts";
import { Records } from "../ui/Records";

const REFRESH_MS = 5_000;
const STATE_COLORS = { queued: "blue", sent: "teal", failed: "red" } as const;

export function Notifications() {
  const search = useSearch({ from: "/shell/notifications" });
  const navigate = useNavigate({ from: "/notifications" });
  const [shown, setShown] = useState<Notification>();
  const query = { "filter[state]": search.state, "filter[channel]": search.channel, "filter[flow_id]": search.flow, page: search.page, per_page: 25 };
  const found = usePage("list_notifications", { query }, { refetchInterval: REFRESH_MS });
  const narrow = (change: Partial<typeof search>) => void navigate({ search: (old) => ({ ...old, ...change, page: undefined }) });
  const isFiltered = search.state !== undefined || search.channel !== undefined || search.flow !== undefined;
  return (
    <>
      <PageTitle title="Notifications" />
      <NotificationTabs here="messages" />
      <Group gap="xs" mb="xs">
        <FlowSelect value={search.flow} onChange={(flow) => narrow({ flow })} />
        <Select aria-label="State" placeholder="All states" clearable w={140} data={Object.keys(STATE_COLORS)} value={search.state ?? null} onChange={(state) => narrow({ state: state ?? undefined })} />
        <Select aria-label="Channel" placeholder="All channels" clearable w={160} data={CHANNEL_CHOICES} value={search.channel ?? null} onChange={(channel) => narrow({ channel: channel ?? undefined })} />
      </Group>
      <Records
        found={found}
        minWidth={760}
        onPage={(page) => void navigate({ search: (old) => ({ ...old, page }) })}
        empty={isFiltered ? <Empty title="No message fits these filters">Clear one of them to see more.</Empty> : <Empty title="Nothing was told yet">When a flow fails, recovers or goes silent, what was sent to its notification group stands here, and what could not be sent.</Empty>}
        columns={[
          {
            title: "Message",
            isLong: true,
            cell: (one) => (
              <Anchor component="button" size="sm" ta="start" onClick={() => setShown(one)}>
                {one.subject}
              </Anchor>
            ),
          },
          { title: "Channel", cell: ({ channel }) => CHANNELS[channel] },
          { title: "State", cell: ({ state }) => <Badge className="state" color={STATE_COLORS[state]}>{state}</Badge> },
          { title: "What went wrong", isLong: true, cell: ({ error }) => error && <Text size="xs" c="dimmed" lineClamp={2} title={error}>{error}</Text> },
          { title: "When", cell: ({ created_at }) => <Instant at={created_at} /> },
        ]}
      />
      <Modal opened={shown !== undefined} onClose={() => setShown(undefined)} title={shown?.subject} size="lg">
        {shown && <Message message={shown} />}
      </Modal>
    </>
  );
}

function Message({ message }: { message: Notification }) {
  const { to, text, error, attempts, next_at, flow_run_id: run } = message;
  return (
    <Stack gap="xs">
      <Text size="sm" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
        {text}
      </Text>
      {error && (
        <Text size="sm" c="red" style={{ overflowWrap: "anywhere" }}>
          {error}
        </Text>
      )}
      <Text size="xs" c="dimmed">
        {to && `To ${to.join(", ")}. `}
        {attempts === 1 ? "One attempt. " : `${attempts} attempts. `}
        {next_at && (
          <>
            The next is <Instant at={next_at} />.{" "}
          </>
        )}
        {run !== undefined && (
          <Link to="/runs/$run" params={{ run: String(run) }}>
            Run {run}
          </Link>
        )}
      </Text>
    </Stack>
  );
}
