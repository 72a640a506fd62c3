// Named pools of keys that de-dupe steps remember.
import { Anchor, Badge, Button, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import type { DataPool } from "../api/contract";
import { useChange, useRead } from "../api/hooks";
import { Confirm } from "../ui/Confirm";
import { useMe } from "../ui/me";
import { NamedForm } from "../ui/NamedForm";
import { Empty, Instant, PageTitle } from "../ui/parts";
import { Records } from "../ui/Records";
import { tell } from "../ui/tell";

const STATE_COLORS = { permanent: "teal", claimed: "blue", released: "gray" } as const;

export function DataPools() {
  const { may } = useMe();
  const [chosen, setChosen] = useState<DataPool>();
  const [creating, { open, close }] = useDisclosure();
  const [page, setPage] = useState(1);
  const found = useRead("list_data_pools", { query: { per_page: 25, page } });
  const create = useChange("create_data_pool", { onSuccess: close });
  const remove = useChange("delete_data_pool", { onSuccess: () => setChosen(undefined) });
  return (
    <Stack>
      <PageTitle title="Data pools">{may("manager") && <Button onClick={open}>New pool</Button>}</PageTitle>
      <Records
        found={found}
        onPage={setPage}
        empty={<Empty title="There is no data pool yet">A de-dupe step keeps the keys of the records that it has seen in a pool, so that each record is worked on once. A pool is made when a step first names it, or here.</Empty>}
        columns={[
          { title: "Name", cell: (pool) => <Anchor component="button" size="sm" onClick={() => setChosen(pool)}>{pool.name}</Anchor> },
          { title: "Description", cell: ({ description }) => description },
          { title: "Changed", cell: ({ updated_at }) => <Instant at={updated_at} /> },
        ]}
        actions={(pool) =>
          may("manager") && (
            <Confirm label="Delete" variant="subtle" color="red" title={`Delete the pool ${pool.name}?`} onConfirm={() => remove.mutate({ path: { data_pool: pool.id } }, { onError: tell.failed })}>
              Its keys are forgotten: records that were seen before count as new.
            </Confirm>
          )
        }
      />
      {chosen && <Entries key={chosen.id} pool={chosen} />}
      <NamedForm title="New data pool" opened={creating} saving={create.isPending} error={create.error} onClose={close} onSave={(fields) => create.mutate({ body: fields })} />
    </Stack>
  );
}

function Entries({ pool }: { pool: DataPool }) {
  const { may } = useMe();
  const [page, setPage] = useState(1);
  const path = { data_pool: pool.id };
  const found = useRead("list_pool_entries", { path, query: { per_page: 25, page } });
  const remove = useChange("delete_pool_entry");
  return (
    <Stack gap="xs">
      <Text fw={600}>{pool.name}</Text>
      <Records
        found={found}
        onPage={setPage}
        empty={<Empty title="No key is in this pool">Keys come in as runs see records.</Empty>}
        columns={[
          { title: "Key", cell: ({ key }) => <span className="mono">{key}</span> },
          { title: "State", cell: ({ state }) => <Badge color={STATE_COLORS[state]}>{state}</Badge> },
          { title: "Run", cell: ({ flow_run_id: run }) => run && <Link to="/runs/$run" params={{ run: String(run) }} className="row-link">{run}</Link> },
          { title: "Since", cell: ({ created_at }) => <Instant at={created_at} /> },
        ]}
        actions={(entry) =>
          may("manager") && (
            <Button variant="subtle" color="red" onClick={() => remove.mutate({ path: { ...path, pool_entry: entry.id } }, { onError: tell.failed })}>
              Forget
            </Button>
          )
        }
      />
    </Stack>
  );
}
