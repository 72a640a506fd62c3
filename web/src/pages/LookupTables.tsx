// Tables of two columns that maps translate with, in both directions.
import { Anchor, Button, FileButton, Group, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { failure, url } from "../api/client";
import type { LookupTable } from "../api/contract";
import { useChange, useRead } from "../api/hooks";
import { Confirm } from "../ui/Confirm";
import { useMe } from "../ui/me";
import { NamedForm } from "../ui/NamedForm";
import { Empty, Instant, PageTitle } from "../ui/parts";
import { Records } from "../ui/Records";
import { tell } from "../ui/tell";

export function LookupTables() {
  const { may } = useMe();
  const [chosen, setChosen] = useState<LookupTable>();
  const [creating, { open, close }] = useDisclosure();
  const [page, setPage] = useState(1);
  const found = useRead("list_lookup_tables", { query: { per_page: 25, page } });
  const create = useChange("create_lookup_table", { onSuccess: close });
  const remove = useChange("delete_lookup_table", { onSuccess: () => setChosen(undefined) });
  return (
    <Stack>
      <PageTitle title="Lookup tables">{may("manager") && <Button onClick={open}>New table</Button>}</PageTitle>
      <Records
        found={found}
        onPage={setPage}
        empty={<Empty title="There is no lookup table yet">A table of two columns translates values of one system into those of another, such as country codes; maps use it in both directions.</Empty>}
        columns={[
          { title: "Name", cell: (table) => <Anchor component="button" size="sm" onClick={() => setChosen(table)}>{table.name}</Anchor> },
          { title: "Description", cell: ({ description }) => description },
          { title: "Changed", cell: ({ updated_at }) => <Instant at={updated_at} /> },
        ]}
        actions={(table) =>
          may("manager") && (
            <Confirm label="Delete" variant="subtle" color="red" title={`Delete the table ${table.name}?`} onConfirm={() => remove.mutate({ path: { lookup_table: table.id } }, { onError: tell.failed })}>
              Its rows are gone for good. While a deployed version uses it, it cannot be deleted.
            </Confirm>
          )
        }
      />
      {chosen && <Rows key={chosen.id} table={chosen} />}
      <NamedForm title="New lookup table" opened={creating} saving={create.isPending} error={create.error} onClose={close} onSave={(fields) => create.mutate({ body: fields })} />
    </Stack>
  );
}

function Rows({ table }: { table: LookupTable }) {
  const { may } = useMe();
  const path = { lookup_table: table.id };
  const [page, setPage] = useState(1);
  const [left, setLeft] = useState("");
  const [right, setRight] = useState("");
  const found = useRead("list_lookup_rows", { path, query: { per_page: 25, page } });
  const create = useChange("create_lookup_row", {
    onSuccess: () => {
      setLeft("");
      setRight("");
    },
  });
  const remove = useChange("delete_lookup_row");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({ path, body: { left, right } }, { onError: tell.failed });
  };
  return (
    <Stack gap="xs">
      <Group justify="space-between">
        <Text fw={600}>{table.name}</Text>
        <Group gap="xs">
          <Button component="a" variant="default" href={url("download_lookup_table", { path })} download>
            Download CSV
          </Button>
          {may("manager") && <Upload table={table} />}
        </Group>
      </Group>
      <Records
        found={found}
        onPage={setPage}
        empty={<Empty title="It has no rows">Add one below, or upload a CSV file with two columns.</Empty>}
        columns={[
          { title: "Left", cell: (row) => row.left },
          { title: "Right", cell: (row) => row.right },
        ]}
        actions={(row) =>
          may("manager") && (
            <Button variant="subtle" color="red" onClick={() => remove.mutate({ path: { ...path, lookup_row: row.id } }, { onError: tell.failed })}>
              Delete
            </Button>
          )
        }
      />
      {may("manager") && (
        <form onSubmit={submit}>
          <Group gap="xs" align="end">
            <TextInput label="Left" required value={left} onChange={(event) => setLeft(event.currentTarget.value)} />
            <TextInput label="Right" required value={right} onChange={(event) => setRight(event.currentTarget.value)} />
            <Button type="submit" loading={create.isPending}>
              Add a row
            </Button>
          </Group>
        </form>
      )}
    </Stack>
  );
}

function Upload({ table }: { table: LookupTable }) {
  const client = useQueryClient();
  const upload = async (file: File | null) => {
    if (!file) return;
    const answer = await fetch(url("upload_lookup_table", { path: { lookup_table: table.id } }), { method: "PUT", body: file, headers: { "Content-Type": "text/csv" } });
    if (answer.ok) tell.done("The rows were replaced.");
    else tell.failed(await failure(answer));
    await client.invalidateQueries();
  };
  return (
    <FileButton accept=".csv,text/csv" onChange={(file) => void upload(file)}>
      {(props) => (
        <Button {...props} variant="default">
          Replace by CSV
        </Button>
      )}
    </FileButton>
  );
}
