// The systems that flows talk to, each with its address and its credentials.
import { Badge, Button, Group, Modal, Text, Tooltip } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";

import type { Connection } from "../api/contract";
import { useChange, usePage } from "../api/hooks";
import { ConnectionForm } from "../connections/ConnectionForm";
import { AUTH, type AuthType, PROTOCOLS } from "../connections/draft";
import { TestConnection } from "../connections/TestConnection";
import { FindByName, NoneNamed } from "../ui/ByName";
import { Confirm } from "../ui/Confirm";
import { local } from "../ui/format";
import { useMe } from "../ui/me";
import { Empty, Instant, PageTitle } from "../ui/parts";
import { Records } from "../ui/Records";
import { tell } from "../ui/tell";

const REFRESH_MS = 10_000;

export function Connections() {
  const { page, search } = useSearch({ from: "/shell/connections" });
  const navigate = useNavigate({ from: "/connections" });
  const { may } = useMe();
  const [edited, setEdited] = useState<Connection | "new">();
  // The state of a circuit changes by itself.
  const found = usePage("list_connections", { query: { per_page: 25, page, "filter[search]": search, sort: "name" } }, { refetchInterval: REFRESH_MS });
  const remove = useChange("delete_connection");
  const close = () => setEdited(undefined);
  return (
    <>
      <PageTitle title="Connections">
        <FindByName search={search} onChange={(next) => void navigate({ search: next })} />
        {may("manager") && <Button onClick={() => setEdited("new")}>New connection</Button>}
      </PageTitle>
      <Records
        found={found}
        onPage={(next) => void navigate({ search: { search, page: next } })}
        minWidth={820}
        empty={search ? <NoneNamed search={search} /> : <Empty title="There is no connection yet">A connection holds the address of a system and the credentials for it. Connector steps use it, so that no secret stands in a flow.</Empty>}
        columns={[
          { title: "Name", isLong: true, cell: ({ name }) => <strong>{name}</strong> },
          { title: "System", isLong: true, cell: (connection) => <System connection={connection} /> },
          { title: "Signs in with", cell: (connection) => <SignsIn connection={connection} /> },
          { title: "Limits", cell: (connection) => <Limits connection={connection} /> },
          { title: "Changed", cell: ({ updated_at }) => <Instant at={updated_at} /> },
        ]}
        actions={(connection) =>
          may("manager") && (
            <Group gap={4} justify="end" wrap="nowrap">
              <TestConnection connection={connection} />
              <Button variant="default" onClick={() => setEdited(connection)}>
                Edit
              </Button>
              <Confirm label="Delete" variant="subtle" color="red" title={`Delete the connection ${connection.name}?`} onConfirm={() => remove.mutate({ path: { connection: connection.id } }, { onError: tell.failed })}>
                Drafts that use it cannot be deployed until they name another one. While a deployed version uses it, it cannot be deleted.
              </Confirm>
            </Group>
          )
        }
      />
      <Modal opened={edited !== undefined} onClose={close} title={edited === "new" ? "New connection" : "Edit the connection"} size="lg">
        {edited && <ConnectionForm connection={edited === "new" ? undefined : edited} onDone={close} />}
      </Modal>
    </>
  );
}

function System({ connection: { base_url, server, protocol } }: { connection: Connection }) {
  const protocolLabel = PROTOCOLS.find(({ value }) => value === protocol)?.label ?? protocol;
  return (
    <>
      <Text size="sm" style={{ overflowWrap: "anywhere" }}>
        {base_url ?? server?.host ?? server?.file}
      </Text>
      {protocol !== "http" && (
        <Text size="xs" c="dimmed">
          {protocolLabel}
        </Text>
      )}
    </>
  );
}

function SignsIn({ connection: { auth, protocol } }: { connection: Connection }) {
  if (protocol === "http") return <>{AUTH[auth.type as AuthType]?.label ?? auth.type}</>;
  return <>{!auth.has_secret ? "Nothing" : auth.type === "private_key" ? "Private key" : "Password"}</>;
}

function Limits({ connection: { rate_limit: rate, circuit, circuit_breaker: breaker } }: { connection: Connection }) {
  if (!rate && !breaker) return null;
  return (
    <Group gap={4}>
      {rate && (
        <Badge color="gray">
          {rate.per_second ?? rate.per_minute} a {rate.per_second === undefined ? "minute" : "second"}
        </Badge>
      )}
      {breaker && circuit?.state === "closed" && <Badge color="gray">Rests after {breaker.failures} failures</Badge>}
      {circuit && circuit.state !== "closed" && (
        <Tooltip label={circuit.opens_until ? `Nothing is sent until ${local(circuit.opens_until)}` : "One request is trying it"}>
          <Badge color="red">Resting after failures</Badge>
        </Tooltip>
      )}
    </Group>
  );
}
