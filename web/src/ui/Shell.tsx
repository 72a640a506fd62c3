// What surrounds every page: the navigation, who is signed in, and the colours.
import { ActionIcon, AppShell, Burger, Group, Menu, Text, useMantineColorScheme } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useNavigate } from "@tanstack/react-router";

import { call } from "../api/client";
import { useMe } from "./me";
import { Icon, type IconName } from "./Icon";

const LINKS: Array<{ to: string; label: string; icon: IconName; exact?: boolean }> = [
  { to: "/", label: "Home", icon: "home", exact: true },
  { to: "/flows", label: "Flows", icon: "flow" },
  { to: "/runs", label: "Runs", icon: "run" },
  { to: "/dead-letters", label: "Dead letters", icon: "letter" },
  { to: "/connections", label: "Connections", icon: "plug" },
];
const MORE: typeof LINKS = [
  { to: "/users", label: "Users", icon: "people" },
  { to: "/api-keys", label: "API keys", icon: "key" },
];

export function Shell() {
  const [open, { toggle, close }] = useDisclosure();
  const { me, may } = useMe();
  if (!me) return null;
  const links = may("manager") ? [...LINKS, ...MORE] : LINKS;
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
        {links.map(({ to, label, icon, exact }) => (
          <Link key={to} to={to} className="nav-link" activeOptions={{ exact: exact ?? false }} onClick={close}>
            <Icon name={icon} /> {label}
          </Link>
        ))}
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
