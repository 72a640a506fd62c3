// Who is told, and by which channels.
import { Button, Group, Modal, Text } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";

import type { NotificationGroup } from "../api/contract";
import { useChange, usePage } from "../api/hooks";
import { CHANNELS } from "../notifications/channels";
import { GroupForm } from "../notifications/GroupForm";
import { FindByName, NoneNamed } from "../ui/ByName";
import { Confirm } from "../ui/Confirm";
import { useMe } from "../ui/me";
import { NotificationTabs } from "../ui/NotificationTabs";
import { Empty, Instant, PageTitle } from "../ui/parts";
import { Records } from "../ui/Records";
import { tell } from "../ui/tell";

/** Where the channels of a group lead. */
const destinations = (channels: NotificationGroup["channels"]) => channels.map(({ type, to, url }) => to?.join(", ") ?? url ?? CHANNELS[type]).join("; ");

export function NotificationGroups() {
  const { may } = useMe();
  const [edited, setEdited] = useState<NotificationGroup | "new">();
  const { page, search } = useSearch({ from: "/shell/notification-groups" });
  const navigate = useNavigate({ from: "/notification-groups" });
  const found = usePage("list_notification_groups", { query: { per_page: 25, page, "filter[search]": search, sort: "name" } });
  const remove = useChange("delete_notification_group");
  const test = useChange("test_notification_group", { onSuccess: ({ data }) => tell.done(data.length === 1 ? "A message is on its way." : `${data.length} messages are on their way.`) });
  return (
    <>
      <PageTitle title="Notifications">
        <FindByName search={search} onChange={(next) => void navigate({ search: next })} />
        {may("manager") && <Button onClick={() => setEdited("new")}>New group</Button>}
      </PageTitle>
      <NotificationTabs here="groups" />
      <Records
        found={found}
        onPage={(next) => void navigate({ search: { search, page: next } })}
        empty={search ? <NoneNamed search={search} /> : <Empty title="Nobody is told anything yet">A group says who hears of failures, recoveries and silence, by mail, webhook or log. Flows and notify steps name it.</Empty>}
        columns={[
          { title: "Name", isLong: true, cell: ({ name }) => name },
          { title: "Channels", isLong: true, cell: ({ channels }) => <Text size="sm" lineClamp={3} title={destinations(channels)}>{destinations(channels)}</Text> },
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
                It hears of nothing any more. While a deployed version or a flow's alerts name it, it cannot be deleted.
              </Confirm>
            </Group>
          )
        }
      />
      <Modal opened={edited !== undefined} onClose={() => setEdited(undefined)} title={edited === "new" ? "New group" : "Edit the group"} size="lg">
        {edited && <GroupForm group={edited === "new" ? undefined : edited} onDone={() => setEdited(undefined)} />}
      </Modal>
    </>
  );
}
