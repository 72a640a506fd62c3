// The way between what was told and who is told.
import { Tabs } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";

import { useMe } from "./me";

const PLACES = { messages: "/notifications", groups: "/notification-groups" } as const;

export function NotificationTabs({ here }: { here: keyof typeof PLACES }) {
  const navigate = useNavigate();
  const { may } = useMe();
  if (!may("manager")) return null;
  return (
    <Tabs value={here} onChange={(tab) => void navigate({ to: PLACES[tab as keyof typeof PLACES] })} mb="sm">
      <Tabs.List>
        <Tabs.Tab value="messages">Messages</Tabs.Tab>
        <Tabs.Tab value="groups">Groups</Tabs.Tab>
      </Tabs.List>
    </Tabs>
  );
}
