// Named pools of keys that de-dupe steps remember.
import { Button, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";

import { useChange, usePage } from "../api/hooks";
import { FindByName, NoneNamed } from "../ui/ByName";
import { Confirm } from "../ui/Confirm";
import { useMe } from "../ui/me";
import { NamedForm } from "../ui/NamedForm";
import { Empty, Instant, PageTitle } from "../ui/parts";
import { Records } from "../ui/Records";
import { tell } from "../ui/tell";

export function DataPools() {
  const { page, search } = useSearch({ from: "/shell/data-pools" });
  const navigate = useNavigate({ from: "/data-pools" });
  const { may } = useMe();
  const [creating, { open, close }] = useDisclosure();
  const found = usePage("list_data_pools", { query: { per_page: 25, page, "filter[search]": search, sort: "name" } });
  const create = useChange("create_data_pool", { onSuccess: close });
  const remove = useChange("delete_data_pool");
  return (
    <>
      <PageTitle title="Data pools">
        <FindByName search={search} onChange={(next) => void navigate({ search: next })} />
        {may("manager") && <Button onClick={open}>New pool</Button>}
      </PageTitle>
      <Records
        found={found}
        onPage={(next) => void navigate({ search: { search, page: next } })}
        empty={search ? <NoneNamed search={search} /> : <Empty title="There is no data pool yet">A de-dupe step keeps the keys of the records that it has seen in a pool, so that each record is worked on once. A pool is made when a step first names it, or here.</Empty>}
        columns={[
          { title: "Name", isLong: true, cell: ({ id, name }) => <Link to="/data-pools/$pool" params={{ pool: String(id) }} className="row-link">{name}</Link> },
          { title: "Description", isLong: true, cell: ({ description }) => description && <Text size="sm" lineClamp={2} title={description}>{description}</Text> },
          { title: "Changed", cell: ({ updated_at }) => <Instant at={updated_at} /> },
        ]}
        actions={(pool) =>
          may("manager") && (
            <Confirm label="Delete" variant="subtle" color="red" title={`Delete the pool ${pool.name}?`} onConfirm={() => remove.mutate({ path: { data_pool: pool.id } }, { onError: tell.failed })}>
              Its keys are forgotten: records that were seen before count as new. While a deployed version names it, it cannot be deleted.
            </Confirm>
          )
        }
      />
      <NamedForm title="New data pool" opened={creating} saving={create.isPending} error={create.error} onClose={close} onSave={(fields) => create.mutate({ body: fields })} />
    </>
  );
}
