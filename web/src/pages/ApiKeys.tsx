import { Alert, Button, Code, CopyButton, Group, Table, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";

import { useChange, useRead } from "../api/hooks";
import { Confirm } from "../ui/Confirm";
import { Empty, Failure, Instant, Loading, PageTitle } from "../ui/parts";
import { tell } from "../ui/tell";

export function ApiKeys() {
  const [name, setName] = useState("");
  const found = useRead("list_api_keys", { query: { per_page: 100 } });
  const create = useChange("create_api_key", { onSuccess: () => setName("") });
  const revoke = useChange("revoke_api_key");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({ body: { name } });
  };
  const made = create.data?.data;
  return (
    <>
      <PageTitle title="API keys" />
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
      {found.error && <Failure error={found.error} />}
      {found.isLoading && <Loading />}
      {found.data?.data.length === 0 && <Empty title="There is no key yet">A program signs in with a key. It acts as a manager of this company.</Empty>}
      {found.data && found.data.data.length > 0 && (
        <Table.ScrollContainer minWidth={480} className="card">
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Name</Table.Th>
                <Table.Th>Key</Table.Th>
                <Table.Th>Made</Table.Th>
                <Table.Th />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {found.data.data.map((key) => (
                <Table.Tr key={key.id}>
                  <Table.Td>{key.name}</Table.Td>
                  <Table.Td className="mono">{key.hint}…</Table.Td>
                  <Table.Td>
                    <Instant at={key.created_at} />
                  </Table.Td>
                  <Table.Td ta="end">
                    {key.revoked_at ? (
                      <Text span size="xs" c="dimmed">
                        revoked <Instant at={key.revoked_at} />
                      </Text>
                    ) : (
                      <Confirm label="Revoke" variant="subtle" color="red" title={`Revoke the key ${key.name}?`} onConfirm={() => revoke.mutate({ path: { api_key: key.id } }, { onError: tell.failed })}>
                        Programs that use it are refused at once. It cannot be taken back.
                      </Confirm>
                    )}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </>
  );
}
