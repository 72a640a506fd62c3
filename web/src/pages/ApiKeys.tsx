import { Alert, Button, Code, CopyButton, Group, Text, TextInput } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";

import { useChange, usePage } from "../api/hooks";
import { FindByName, NoneNamed } from "../ui/ByName";
import { Confirm } from "../ui/Confirm";
import { Empty, Instant, PageTitle } from "../ui/parts";
import { Records } from "../ui/Records";
import { tell } from "../ui/tell";

export function ApiKeys() {
  const { page, search } = useSearch({ from: "/shell/api-keys" });
  const navigate = useNavigate({ from: "/api-keys" });
  const [name, setName] = useState("");
  const found = usePage("list_api_keys", { query: { per_page: 25, page, "filter[search]": search, sort: "-id" } });
  const create = useChange("create_api_key", { onSuccess: () => setName("") });
  const revoke = useChange("revoke_api_key");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({ body: { name } });
  };
  const made = create.data?.data;
  return (
    <>
      <PageTitle title="API keys">
        <FindByName search={search} onChange={(next) => void navigate({ search: next })} />
      </PageTitle>
      <form onSubmit={submit}>
        <Group align="end" gap="xs" mb="sm">
          <TextInput label="Name of a new key" placeholder="Order import" required value={name} error={create.error?.message} onChange={(event) => setName(event.currentTarget.value)} />
          <Button type="submit" loading={create.isPending}>
            Make a key
          </Button>
        </Group>
      </form>
      {made && (
        <Alert color="teal" title={`The key ${made.name}; it is shown only now`} mb="sm">
          <Group gap="xs">
            <Code>{made.key}</Code>
            <CopyButton value={made.key}>{({ copied, copy }) => <Button onClick={copy}>{copied ? "Copied" : "Copy"}</Button>}</CopyButton>
          </Group>
        </Alert>
      )}
      <Records
        found={found}
        onPage={(next) => void navigate({ search: { search, page: next } })}
        empty={search ? <NoneNamed search={search} /> : <Empty title="There is no key yet">A program signs in with a key. It acts as a manager of this company.</Empty>}
        columns={[
          { title: "Name", isLong: true, cell: ({ name }) => name },
          { title: "Key", cell: ({ hint }) => <span className="mono">{hint}…</span> },
          { title: "Made", cell: ({ created_at }) => <Instant at={created_at} /> },
        ]}
        actions={(key) =>
          key.revoked_at ? (
            <Text span size="xs" c="dimmed">
              revoked <Instant at={key.revoked_at} />
            </Text>
          ) : (
            <Confirm label="Revoke" variant="subtle" color="red" title={`Revoke the key ${key.name}?`} onConfirm={() => revoke.mutate({ path: { api_key: key.id } }, { onError: tell.failed })}>
              Programs that use it are refused at once. It cannot be taken back.
            </Confirm>
          )
        }
      />
    </>
  );
}
