// One data pool: the keys that were seen, to find, add and forget.
import { Badge, Button, Group, Modal, Stack, Text, Textarea } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";

import type { DataPool as Pool } from "../api/contract";
import { exactly } from "../api/filters";
import { useChange, useRead } from "../api/hooks";
import { Confirm } from "../ui/Confirm";
import { FormButtons } from "../ui/FormButtons";
import { useMe } from "../ui/me";
import { NamedForm } from "../ui/NamedForm";
import { Empty, Failure, Instant, Loading, PageTitle } from "../ui/parts";
import { Records } from "../ui/Records";
import { SearchField } from "../ui/SearchField";
import { tell } from "../ui/tell";

const STATE_COLORS = { permanent: "teal", claimed: "blue", released: "gray" } as const;

export function DataPool() {
  const { pool: id } = useParams({ from: "/shell/data-pools/$pool" });
  const { may } = useMe();
  const found = useRead("get_data_pool", { path: { data_pool: id } });
  if (found.error) return <Failure error={found.error} again={() => void found.refetch()} />;
  if (!found.data) return <Loading />;
  const pool = found.data.data;
  return (
    <>
      <PageTitle title={pool.name}>{may("manager") && <Actions pool={pool} />}</PageTitle>
      {pool.description && (
        <Text size="sm" c="dimmed" mb="xs">
          {pool.description}
        </Text>
      )}
      <Entries pool={pool} />
    </>
  );
}

function Actions({ pool }: { pool: Pool }) {
  const [renaming, rename] = useDisclosure();
  const [adding, add] = useDisclosure();
  const update = useChange("update_data_pool", { onSuccess: rename.close });
  const forget = useChange("delete_pool_entries", { onSuccess: ({ message }) => tell.done(message) });
  const path = { data_pool: pool.id };
  return (
    <>
      <Button variant="default" onClick={rename.open}>
        Edit
      </Button>
      <Confirm label="Forget all" variant="default" color="red" title={`Forget all keys of ${pool.name}?`} onConfirm={() => forget.mutate({ path }, { onError: tell.failed })}>
        Every record counts as new again, and is worked on once more where it comes.
      </Confirm>
      <Button onClick={add.open}>Add keys</Button>
      <NamedForm title="Edit the pool" named={pool} opened={renaming} saving={update.isPending} error={update.error} onClose={rename.close} onSave={(body) => update.mutate({ path, body })} />
      <Modal opened={adding} onClose={add.close} title="Add keys">
        <Keys pool={pool} onDone={add.close} />
      </Modal>
    </>
  );
}

function Keys({ pool, onDone }: { pool: Pool; onDone: () => void }) {
  const [text, setText] = useState("");
  const add = useChange("add_pool_entries", { onSuccess: onDone });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const keys = text.split("\n").map((key) => key.trim());
    add.mutate({ path: { data_pool: pool.id }, body: { keys: keys.filter(Boolean) } });
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <Textarea label="Keys" description="One a line. Records with these keys count as seen." required data-autofocus autosize minRows={4} maxRows={14} value={text} onChange={(event) => setText(event.currentTarget.value)} />
        {add.error && <Failure error={add.error} />}
        <FormButtons save="Add" saving={add.isPending} onCancel={onDone} />
      </Stack>
    </form>
  );
}

function Entries({ pool }: { pool: Pool }) {
  const search = useSearch({ from: "/shell/data-pools/$pool" });
  const navigate = useNavigate({ from: "/data-pools/$pool" });
  const { may } = useMe();
  const path = { data_pool: pool.id };
  const found = useRead("list_pool_entries", { path, query: { per_page: 25, page: search.page, "filter[key]": exactly(search.key), sort: "-id" } });
  const remove = useChange("delete_pool_entry");
  return (
    <>
      <SearchField aria-label="Find a key" placeholder="A key" w={220} mb="xs" value={search.key} onChange={(key) => void navigate({ search: { key } })} />
      <Records
        found={found}
        onPage={(page) => void navigate({ search: (old) => ({ ...old, page }) })}
        empty={search.key ? <Empty title="This key was not seen">Keys are found as they are, whole.</Empty> : <Empty title="No key is in this pool">Keys come in as runs see records.</Empty>}
        columns={[
          { title: "Key", isLong: true, cell: ({ key }) => <span className="mono">{key}</span> },
          { title: "State", cell: ({ state }) => <Badge className="state" color={STATE_COLORS[state]}>{state}</Badge> },
          { title: "Run", cell: ({ flow_run_id: run }) => run && <Link to="/runs/$run" params={{ run: String(run) }}>{run}</Link> },
          { title: "Since", cell: ({ created_at }) => <Instant at={created_at} /> },
        ]}
        actions={(entry) =>
          may("manager") && (
            <Group justify="end">
              <Button variant="subtle" color="red" onClick={() => remove.mutate({ path: { ...path, pool_entry: entry.id } }, { onError: tell.failed })}>
                Forget
              </Button>
            </Group>
          )
        }
      />
    </>
  );
}
