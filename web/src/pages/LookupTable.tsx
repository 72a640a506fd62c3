// One lookup table: its rows to find, add, change and delete, and all of them as CSV.
import { Button, FileButton, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";

import { failure, url } from "../api/client";
import type { LookupRow, LookupTable as Table } from "../api/contract";
import { exactly } from "../api/filters";
import { useChange, useRead } from "../api/hooks";
import { FormButtons } from "../ui/FormButtons";
import { useMe } from "../ui/me";
import { NamedForm } from "../ui/NamedForm";
import { Empty, Failure, Loading, PageTitle } from "../ui/parts";
import { Records } from "../ui/Records";
import { SearchField } from "../ui/SearchField";
import { tell } from "../ui/tell";

export function LookupTable() {
  const { table: id } = useParams({ from: "/shell/lookup-tables/$table" });
  const { may } = useMe();
  const found = useRead("get_lookup_table", { path: { lookup_table: id } });
  if (found.error) return <Failure error={found.error} again={() => void found.refetch()} />;
  if (!found.data) return <Loading />;
  const table = found.data.data;
  return (
    <>
      <PageTitle title={table.name}>
        <Button component="a" variant="default" href={url("download_lookup_table", { path: { lookup_table: id } })} download>
          Download CSV
        </Button>
        {may("manager") && <Upload table={table} />}
        {may("manager") && <Rename table={table} />}
      </PageTitle>
      {table.description && (
        <Text size="sm" c="dimmed" mb="xs">
          {table.description}
        </Text>
      )}
      <Rows table={table} />
    </>
  );
}

function Rows({ table }: { table: Table }) {
  const search = useSearch({ from: "/shell/lookup-tables/$table" });
  const navigate = useNavigate({ from: "/lookup-tables/$table" });
  const { may } = useMe();
  const [edited, setEdited] = useState<LookupRow | "new">();
  const path = { lookup_table: table.id };
  const found = useRead("list_lookup_rows", { path, query: { per_page: 25, page: search.page, "filter[left]": exactly(search.left), "filter[right]": exactly(search.right) } });
  const remove = useChange("delete_lookup_row");
  const narrow = (change: Partial<typeof search>) => void navigate({ search: (old) => ({ ...old, ...change, page: undefined }) });
  return (
    <>
      <Group gap="xs" mb="xs">
        <SearchField aria-label="Find on the left" placeholder="Left" w={160} value={search.left} onChange={(left) => narrow({ left })} />
        <SearchField aria-label="Find on the right" placeholder="Right" w={160} value={search.right} onChange={(right) => narrow({ right })} />
        {may("manager") && (
          <Button ml="auto" onClick={() => setEdited("new")}>
            Add a row
          </Button>
        )}
      </Group>
      <Records
        found={found}
        onPage={(page) => void navigate({ search: (old) => ({ ...old, page }) })}
        minWidth={400}
        empty={search.left || search.right ? <Empty title="No row has this value">Values are found as they are, whole.</Empty> : <Empty title="It has no rows">Add one, or upload a CSV file with two columns.</Empty>}
        columns={[
          { title: "Left", isLong: true, cell: (row) => row.left },
          { title: "Right", isLong: true, cell: (row) => row.right },
        ]}
        actions={(row) =>
          may("manager") && (
            <Group gap={4} justify="end" wrap="nowrap">
              <Button variant="default" onClick={() => setEdited(row)}>
                Edit
              </Button>
              <Button variant="subtle" color="red" onClick={() => remove.mutate({ path: { ...path, lookup_row: row.id } }, { onError: tell.failed })}>
                Delete
              </Button>
            </Group>
          )
        }
      />
      <Modal opened={edited !== undefined} onClose={() => setEdited(undefined)} title={edited === "new" ? "Add a row" : "Edit the row"}>
        {edited && <RowForm table={table} row={edited === "new" ? undefined : edited} onDone={() => setEdited(undefined)} />}
      </Modal>
    </>
  );
}

function RowForm({ table, row, onDone }: { table: Table; row?: LookupRow; onDone: () => void }) {
  const [left, setLeft] = useState(row?.left ?? "");
  const [right, setRight] = useState(row?.right ?? "");
  const create = useChange("create_lookup_row", { onSuccess: onDone });
  const update = useChange("update_lookup_row", { onSuccess: onDone });
  const error = create.error ?? update.error;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const path = { lookup_table: table.id };
    if (row) update.mutate({ path: { ...path, lookup_row: row.id }, body: { left, right } });
    else create.mutate({ path, body: { left, right } });
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label="Left" required data-autofocus value={left} onChange={(event) => setLeft(event.currentTarget.value)} />
        <TextInput label="Right" required value={right} onChange={(event) => setRight(event.currentTarget.value)} />
        {error && <Failure error={error} />}
        <FormButtons saving={create.isPending || update.isPending} onCancel={onDone} />
      </Stack>
    </form>
  );
}

function Rename({ table }: { table: Table }) {
  const [opened, { open, close }] = useDisclosure();
  const update = useChange("update_lookup_table", { onSuccess: close });
  return (
    <>
      <Button variant="default" onClick={open}>
        Edit
      </Button>
      <NamedForm title="Edit the table" named={table} opened={opened} saving={update.isPending} error={update.error} onClose={close} onSave={(body) => update.mutate({ path: { lookup_table: table.id }, body })} />
    </>
  );
}

function Upload({ table }: { table: Table }) {
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
