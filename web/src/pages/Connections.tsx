// The systems that flows talk to, each with its address and its credentials.
import { Badge, Button, Group, Modal, PasswordInput, Select, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";

import type { Connection, ConnectionAuth } from "../api/contract";
import { useChange, useRead } from "../api/hooks";
import { FormButtons } from "../ui/FormButtons";
import { Confirm } from "../ui/Confirm";
import { useMe } from "../ui/me";
import { Empty, Failure, Instant, PageTitle } from "../ui/parts";
import { Records } from "../ui/Records";
import { tell } from "../ui/tell";

type AuthType = NonNullable<ConnectionAuth["type"]>;
type AuthField = Exclude<keyof ConnectionAuth, "type" | "credentials_in">;

const AUTH: Record<AuthType, { label: string; fields: AuthField[] }> = {
  none: { label: "None", fields: [] },
  bearer: { label: "Bearer token", fields: ["token"] },
  basic: { label: "User name and password", fields: ["username", "password"] },
  header: { label: "Header", fields: ["name", "value"] },
  oauth2_client_credentials: { label: "OAuth 2, client credentials", fields: ["token_url", "client_id", "client_secret", "scope", "audience"] },
  oauth2_refresh_token: { label: "OAuth 2, refresh token", fields: ["token_url", "client_id", "client_secret", "refresh_token", "scope"] },
};
const SECRET = new Set<AuthField>(["token", "password", "value", "client_secret", "refresh_token"]);
const OPTIONAL = new Set<AuthField>(["scope", "audience"]);
const words = (field: string) => field.charAt(0).toUpperCase() + field.slice(1).replaceAll("_", " ");

export function Connections() {
  const { may } = useMe();
  const [edited, setEdited] = useState<Connection | "new">();
  const found = useRead("list_connections", { query: { per_page: 100 } });
  const remove = useChange("delete_connection");
  return (
    <>
      <PageTitle title="Connections">{may("manager") && <Button onClick={() => setEdited("new")}>New connection</Button>}</PageTitle>
      <Records
        found={found}
        empty={<Empty title="There is no connection yet">A connection holds the address of a system and the credentials for it. Connector steps use it, so that no secret stands in a flow.</Empty>}
        columns={[
          { title: "Name", cell: ({ name }) => <strong>{name}</strong> },
          { title: "System", cell: (connection) => <System connection={connection} /> },
          { title: "Signs in with", cell: ({ auth }) => AUTH[auth.type as AuthType]?.label ?? auth.type },
          { title: "Changed", cell: ({ updated_at }) => <Instant at={updated_at} /> },
        ]}
        actions={(connection) =>
          may("manager") && (
            <Group gap={4} justify="end" wrap="nowrap">
              {connection.protocol === "http" && (
                <Button variant="default" onClick={() => setEdited(connection)}>
                  Edit
                </Button>
              )}
              <Confirm label="Delete" variant="subtle" color="red" title={`Delete the connection ${connection.name}?`} onConfirm={() => remove.mutate({ path: { connection: connection.id } }, { onError: tell.failed })}>
                Drafts that use it cannot be deployed until they name another one. While a deployed version uses it, it cannot be deleted.
              </Confirm>
            </Group>
          )
        }
      />
      <Modal opened={edited !== undefined} onClose={() => setEdited(undefined)} title={edited === "new" ? "New connection" : "Edit the connection"}>
        {edited && <Editor connection={edited === "new" ? undefined : edited} onDone={() => setEdited(undefined)} />}
      </Modal>
    </>
  );
}

function System({ connection }: { connection: Connection }) {
  const { base_url, server, protocol, circuit } = connection;
  return (
    <>
      {base_url ?? server?.host ?? protocol} {circuit && circuit.state !== "closed" && <Badge color="red">paused after failures</Badge>}
    </>
  );
}

function Editor({ connection, onDone }: { connection?: Connection; onDone: () => void }) {
  const [name, setName] = useState(connection?.name ?? "");
  const [baseUrl, setBaseUrl] = useState(connection?.base_url ?? "");
  const [type, setType] = useState<AuthType>((connection?.auth.type as AuthType) ?? "none");
  const [auth, setAuth] = useState<Partial<Record<AuthField, string>>>(() => shown(connection));
  const [touched, setTouched] = useState(!connection);
  const create = useChange("create_connection", { onSuccess: onDone });
  const update = useChange("update_connection", { onSuccess: onDone });
  const error = create.error ?? update.error;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const chosen = Object.fromEntries(AUTH[type].fields.flatMap((field) => (auth[field] ? [[field, auth[field]]] : [])));
    const body = { name, base_url: baseUrl, ...(touched ? { auth: { type, ...chosen } } : {}) };
    if (connection) update.mutate({ path: { connection: connection.id }, body });
    else create.mutate({ body });
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label="Name" placeholder="The shop" required data-autofocus value={name} error={error?.errors.name?.join(" ")} onChange={(event) => setName(event.currentTarget.value)} />
        <TextInput label="Base URL" placeholder="https://shop.example/api" required value={baseUrl} error={error?.errors.base_url?.join(" ")} onChange={(event) => setBaseUrl(event.currentTarget.value)} />
        <Select
          label="Signs in with"
          allowDeselect={false}
          data={Object.entries(AUTH).map(([value, { label }]) => ({ value, label }))}
          value={type}
          onChange={(next) => {
            setType(next as AuthType);
            setTouched(true);
          }}
        />
        {AUTH[type].fields.map((field) => {
          const Input = SECRET.has(field) ? PasswordInput : TextInput;
          return (
            <Input
              key={field}
              label={words(field)}
              required={touched && !OPTIONAL.has(field)}
              placeholder={!touched && SECRET.has(field) ? "kept as it is" : undefined}
              autoComplete="off"
              value={auth[field] ?? ""}
              error={error?.errors[`auth.${field}`]?.join(" ")}
              onChange={(event) => {
                setAuth({ ...auth, [field]: event.currentTarget.value });
                setTouched(true);
              }}
            />
          );
        })}
        {connection && touched && (
          <Text size="xs" c="dimmed">
            Credentials are replaced as a whole: give all of them again.
          </Text>
        )}
        {error && <Failure error={error} />}
        <FormButtons saving={create.isPending || update.isPending} onCancel={onDone} />
      </Stack>
    </form>
  );
}

function shown(connection: Connection | undefined): Partial<Record<AuthField, string>> {
  const { username, name, token_url, client_id, scope, audience } = connection?.auth ?? {};
  return { username, name, token_url, client_id, scope, audience };
}
