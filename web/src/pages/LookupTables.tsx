// Tables of two columns that maps translate with, in both directions.
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

export function LookupTables() {
  const { page, search } = useSearch({ from: "/shell/lookup-tables" });
  const navigate = useNavigate({ from: "/lookup-tables" });
  const { may } = useMe();
  const [creating, { open, close }] = useDisclosure();
  const found = usePage("list_lookup_tables", { query: { per_page: 25, page, "filter[search]": search, sort: "name" } });
  const create = useChange("create_lookup_table", { onSuccess: ({ data }) => void navigate({ to: "/lookup-tables/$table", params: { table: String(data.id) } }) });
  const remove = useChange("delete_lookup_table");
  return (
    <>
      <PageTitle title="Lookup tables">
        <FindByName search={search} onChange={(next) => void navigate({ search: next })} />
        {may("manager") && <Button onClick={open}>New table</Button>}
      </PageTitle>
      <Records
        found={found}
        onPage={(next) => void navigate({ search: { search, page: next } })}
        empty={search ? <NoneNamed search={search} /> : <Empty title="There is no lookup table yet">A table of two columns translates values of one system into those of another, such as country codes; maps use it in both directions.</Empty>}
        columns={[
          { title: "Name", isLong: true, cell: ({ id, name }) => <Link to="/lookup-tables/$table" params={{ table: String(id) }} className="row-link">{name}</Link> },
          { title: "Description", isLong: true, cell: ({ description }) => description && <Text size="sm" lineClamp={2} title={description}>{description}</Text> },
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
      <NamedForm title="New lookup table" opened={creating} saving={create.isPending} error={create.error} onClose={close} onSave={(fields) => create.mutate({ body: fields })} />
    </>
  );
}
