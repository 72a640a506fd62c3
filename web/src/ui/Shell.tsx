// What surrounds every page: the navigation, who is signed in, and the colours.
import { ActionIcon, AppShell, Burger, Group, Menu, ScrollArea, Text, useMantineColorScheme } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useNavigate } from "@tanstack/react-router";
import { Fragment } from "react";

import { call } from "../api/client";
import { type Role, useMe } from "./me";
import { Icon, type IconName } from "./Icon";

interface Place {
  to: string;
  label: string;
  icon: IconName;
  /** Who sees it; everybody, if nobody is named. */
  role?: Role;
}

const PLACES: Array<{ title?: string; places: Place[] }> = [
  {
    places: [
      { to: "/", label: "Home", icon: "home" },
      { to: "/flows", label: "Flows", icon: "flow" },
      { to: "/runs", label: "Runs", icon: "run" },
      { to: "/dead-letters", label: "Dead letters", icon: "letter" },
      { to: "/tracked", label: "Tracked data", icon: "search" },
    ],
  },
  {
    title: "Systems",
    places: [
      { to: "/connections", label: "Connections", icon: "plug" },
      { to: "/connectors", label: "Connectors", icon: "code" },
      { to: "/marketplace", label: "Marketplace", icon: "batch" },
    ],
  },
  {
    title: "Data",
    places: [
      { to: "/lookup-tables", label: "Lookup tables", icon: "map" },
      { to: "/data-pools", label: "Data pools", icon: "filter" },
      { to: "/cache", label: "Cache", icon: "clock" },
    ],
  },
  {
    title: "Company",
    places: [
      { to: "/notification-groups", label: "Notifications", icon: "bell" },
      { to: "/users", label: "Users", icon: "people", role: "administrator" },
      { to: "/api-keys", label: "API keys", icon: "key", role: "manager" },
    ],
  },
];

export function Shell() {
  const [open, { toggle, close }] = useDisclosure();
  const { me, may } = useMe();
  if (!me) return null;
  return (
    <AppShell header={{ height: 44 }} navbar={{ width: 190, breakpoint: "sm", collapsed: { mobile: !open } }} padding="md">
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between">
          <Group gap="xs">
            <Burger opened={open} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Navigation" />
            <img src="/icon.svg" alt="" width={22} height={22} />
            <Text fw={700}>Flowloom</Text>
          </Group>
          <Account name={me.email ?? me.name} role={me.role} />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" component="nav" aria-label="Main">
        <ScrollArea>
          {PLACES.map(({ title, places }) => (
            <Fragment key={title ?? ""}>
              {title && (
                <Text size="xs" c="dimmed" fw={600} mt="sm" px={10}>
                  {title}
                </Text>
              )}
              {places
                .filter(({ role }) => !role || may(role))
                .map(({ to, label, icon }) => (
                  <Link key={to} to={to} className="nav-link" activeOptions={{ exact: to === "/" }} onClick={close}>
                    <Icon name={icon} /> {label}
                  </Link>
                ))}
            </Fragment>
          ))}
        </ScrollArea>
      </AppShell.Navbar>
      <AppShell.Main id="main">
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}

function Account({ name, role }: { name: string; role: string }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const signOut = async () => {
    await call("logout", {});
    client.clear();
    await navigate({ to: "/sign-in" });
  };
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label="Account and appearance">
          <Icon name="person" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {name}, {role}
        </Menu.Label>
        <Menu.Divider />
        <Menu.Label>Appearance</Menu.Label>
        {(["light", "dark", "auto"] as const).map((scheme) => (
          <Menu.Item key={scheme} onClick={() => setColorScheme(scheme)} fw={scheme === colorScheme ? 700 : 400}>
            {{ light: "Light", dark: "Dark", auto: "As the system" }[scheme]}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item component="a" href="/docs" target="_blank">
          API reference
        </Menu.Item>
        <Menu.Item onClick={() => void signOut()}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
