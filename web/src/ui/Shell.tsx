// What surrounds every page: the navigation, who is signed in, and the colours.
import { ActionIcon, AppShell, Burger, Button, Group, Kbd, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Link, Navigate, Outlet, useLocation } from "@tanstack/react-router";
import { Fragment, lazy, Suspense, useState } from "react";

import { Keyboard, type Overlay } from "../palette/Keyboard";
import { AccountButton } from "./AccountButton";
import { Icon } from "./Icon";
import { useMe } from "./me";
import { Empty, Failure, PageTitle } from "./parts";
import { needed, PLACES } from "./places";

const accountMenu = () => import("./AccountMenu");
const AccountMenu = lazy(async () => ({ default: (await accountMenu()).AccountMenu }));

export function Shell() {
  const [isOpen, { toggle, close }] = useDisclosure();
  const [overlay, setOverlay] = useState<Overlay>();
  const { me, error, again } = useMe();
  if (!me) return error && error.status !== 401 ? <Failure error={error} again={again} /> : null;
  if (me.must_set_up) return <Navigate to="/set-up" replace />;
  return (
    <AppShell header={{ height: 44 }} navbar={{ width: 190, breakpoint: "sm", collapsed: { mobile: !isOpen } }} padding={{ base: "sm", sm: "md" }}>
      <a
        className="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById("main")?.focus();
        }}
      >
        Skip to the page
      </a>
      <AppShell.Header>
        <Group h="100%" px={{ base: "sm", sm: "md" }} justify="space-between" wrap="nowrap">
          <Group gap="xs" wrap="nowrap">
            <Burger opened={isOpen} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Navigation" aria-expanded={isOpen} />
            <Link to="/" className="brand" onClick={close}>
              <img src="/icon.svg" alt="" width={22} height={22} />
              <Text fw={700}>Flowloom</Text>
            </Link>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <Finder onClick={() => setOverlay("palette")} />
            <Account onHelp={() => setOverlay("help")} />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" component="nav" aria-label="Main" className="places" data-open={isOpen || undefined}>
        <Places onGo={close} />
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1}>
        <Yours />
      </AppShell.Main>
      <Keyboard shown={overlay} onShow={setOverlay} />
    </AppShell>
  );
}

function Yours() {
  const { may } = useMe();
  const role = needed(useLocation().pathname);
  if (!role || may(role)) return <Outlet />;
  return (
    <>
      <PageTitle title="Not yours to see" />
      <Empty title={`This page is for the role ${role}`}>An administrator can give you that role. What you may see stands in the navigation.</Empty>
    </>
  );
}

function Places({ onGo }: { onGo: () => void }) {
  const { may } = useMe();
  return PLACES.map(({ title, places }) => (
    <Fragment key={title ?? ""}>
      {title && (
        <Text size="xs" c="dimmed" fw={600} mt="sm" px={10}>
          {title}
        </Text>
      )}
      {places
        .filter(({ role }) => !role || may(role))
        .map(({ to, label, icon }) => (
          <Link key={to} to={to} className="nav-link" activeOptions={{ exact: to === "/" }} onClick={onGo}>
            <Icon name={icon} /> {label}
          </Link>
        ))}
    </Fragment>
  ));
}

function Finder({ onClick }: { onClick: () => void }) {
  return (
    <>
      <Button variant="default" c="dimmed" fw={400} visibleFrom="sm" leftSection={<Icon name="search" size={14} />} rightSection={<Kbd size="xs">{navigator.platform.startsWith("Mac") ? "⌘ K" : "Ctrl K"}</Kbd>} onClick={onClick}>
        Find
      </Button>
      <ActionIcon variant="subtle" color="gray" hiddenFrom="sm" aria-label="Find" onClick={onClick}>
        <Icon name="search" />
      </ActionIcon>
    </>
  );
}

/** Its menu comes with the first wish for it: pointing at the button or reaching it with the keyboard fetches the code. */
function Account({ onHelp }: { onHelp: () => void }) {
  const [isWanted, setWanted] = useState(false);
  if (!isWanted) return <AccountButton aria-haspopup="menu" onPointerEnter={() => void accountMenu()} onFocus={() => void accountMenu()} onClick={() => setWanted(true)} />;
  return (
    <Suspense fallback={<AccountButton loading />}>
      <AccountMenu onHelp={onHelp} />
    </Suspense>
  );
}
