// Which runs saw order 1042?
import { Badge, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";

import { useRead } from "../api/hooks";
import { Icon } from "../ui/Icon";
import { Empty, Instant, PageTitle } from "../ui/parts";
import { Records } from "../ui/Records";

export function TrackedData() {
  const { value, page } = useSearch({ from: "/shell/tracked" });
  const navigate = useNavigate({ from: "/tracked" });
  const found = useRead("list_tracked_data", { query: { "filter[value]": value, per_page: 25, page, sort: "-id" } });
  const find = useDebouncedCallback((next: string) => void navigate({ search: { value: next || undefined } }), 300);
  return (
    <>
      <PageTitle title="Tracked data">
        <TextInput placeholder="Order 1042, for example" aria-label="Find a value" leftSection={<Icon name="search" size={14} />} defaultValue={value} onChange={(event) => find(event.currentTarget.value)} w={260} />
      </PageTitle>
      <Records
        found={found}
        onPage={(next) => void navigate({ search: (old) => ({ ...old, page: next }) })}
        empty={value ? <Empty title={`No run saw ${value}`}>Values are found as they were tracked, whole.</Empty> : <Empty title="Nothing is tracked yet">A track step notes which orders, customers or items a run saw, so that you can ask here which runs saw one.</Empty>}
        columns={[
          { title: "Value", cell: (one) => <strong>{one.value}</strong> },
          { title: "Type", cell: ({ entity_type }) => entity_type },
          { title: "Direction", cell: ({ direction }) => <Badge color="gray">{direction}</Badge> },
          { title: "Run", cell: ({ flow_run_id: run, step_key }) => <Link to="/runs/$run" params={{ run: String(run) }} search={{ step: step_key }} className="row-link">{run}</Link> },
          { title: "When", cell: ({ created_at }) => <Instant at={created_at} /> },
        ]}
      />
    </>
  );
}
