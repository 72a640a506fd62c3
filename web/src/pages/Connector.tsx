// One described system: where it is, how one signs in, what it offers, and who uses it.
import { Button, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useParams } from "@tanstack/react-router";
import { type ReactNode, useMemo, useState } from "react";

import type { Connector as Described } from "../api/contract";
import { useChange, useRead } from "../api/hooks";
import { Endpoints } from "../connections/Endpoints";
import { AUTH, type AuthType } from "../connections/draft";
import { count } from "../ui/format";
import { useMe } from "../ui/me";
import { NamedForm } from "../ui/NamedForm";
import { Empty, Failure, Loading, PageTitle } from "../ui/parts";
import { SearchField } from "../ui/SearchField";

export function Connector() {
  const { connector: id } = useParams({ from: "/shell/connectors/$connector" });
  const { may } = useMe();
  const found = useRead("get_connector", { path: { connector: id } });
  if (found.error) return <Failure error={found.error} again={() => void found.refetch()} />;
  if (!found.data) return <Loading />;
  const connector = found.data.data;
  return (
    <>
      <PageTitle title={connector.name}>{may("manager") && <Rename connector={connector} />}</PageTitle>
      <Stack>
        {connector.description && (
          <Text size="sm" c="dimmed">
            {connector.description}
          </Text>
        )}
        <About connector={connector} />
        <Offers connector={connector} />
      </Stack>
    </>
  );
}

function About({ connector: { id, document } }: { connector: Described }) {
  const users = useRead("list_connections", { query: { "filter[connector_id]": id, per_page: 5, sort: "name" } });
  const variables = document.variables?.map(({ name }) => name).join(", ");
  return (
    <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }} className="card" p="sm">
      <Fact title="Base URL">{document.base_url}</Fact>
      <Fact title="Signs in with">{AUTH[(document.auth?.type ?? "none") as AuthType]?.label}</Fact>
      <Fact title="Variables">{variables}</Fact>
      <Fact title="Connections">{users.data && among(users.data.data.map(({ name }) => name), users.data.meta.total)}</Fact>
    </SimpleGrid>
  );
}

/** `A, B and 12 more`. */
function among(names: string[], total: number): string {
  return names.join(", ") + (total > names.length ? ` and ${count(total - names.length)} more` : "");
}

function Fact({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div>
      <Text size="xs" c="dimmed">
        {title}
      </Text>
      <Text size="sm" style={{ overflowWrap: "anywhere" }}>
        {children || "—"}
      </Text>
    </div>
  );
}

function Offers({ connector: { document } }: { connector: Described }) {
  const [sought, setSought] = useState<string>();
  const all = document.endpoints ?? [];
  const shown = useMemo(() => {
    const words = sought?.toLowerCase() ?? "";
    return all.filter(({ path, name, method }) => `${method} ${path} ${name}`.toLowerCase().includes(words));
  }, [all, sought]);
  if (!all.length) return <Empty title="It has no endpoints">Import the system's own document to describe what it offers.</Empty>;
  return (
    <Stack gap="xs">
      <Title order={2}>{count(all.length)} endpoints</Title>
      <SearchField aria-label="Find an endpoint" placeholder="orders" w={260} value={sought} onChange={setSought} />
      {shown.length ? <Endpoints endpoints={shown} /> : <Empty title="No endpoint is named so" />}
    </Stack>
  );
}

function Rename({ connector }: { connector: Described }) {
  const [opened, { open, close }] = useDisclosure();
  const update = useChange("update_connector", { onSuccess: close });
  return (
    <>
      <Button variant="default" onClick={open}>
        Edit
      </Button>
      <NamedForm title="Edit the connector" named={connector} opened={opened} saving={update.isPending} error={update.error} onClose={close} onSave={({ name, description }) => update.mutate({ path: { connector: connector.id }, body: { name, description } })} />
    </>
  );
}
