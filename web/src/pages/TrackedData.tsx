// Which runs saw order 1042?
import { Badge } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";

import { exactly } from "../api/filters";
import { usePage } from "../api/hooks";
import { Empty, Instant, PageTitle } from "../ui/parts";
import { Records } from "../ui/Records";
import { SearchField } from "../ui/SearchField";

export function TrackedData() {
  const { value, page } = useSearch({ from: "/shell/tracked" });
  const navigate = useNavigate({ from: "/tracked" });
  const found = usePage("list_tracked_data", { query: { "filter[value]": exactly(value), per_page: 25, page, sort: "-id" } });
  return (
    <>
      <PageTitle title="Tracked data">
        <SearchField placeholder="Order 1042, for example" aria-label="Find a value" value={value} onChange={(next) => void navigate({ search: { value: next } })} w={260} />
      </PageTitle>
      <Records
        found={found}
        onPage={(next) => void navigate({ search: (old) => ({ ...old, page: next }) })}
        empty={value ? <Empty title={`No run saw ${value}`}>Values are found as they were tracked, whole.</Empty> : <Empty title="Nothing is tracked yet">A track step notes which orders, customers or items a run saw, so that you can ask here which runs saw one.</Empty>}
        columns={[
          { title: "Value", isLong: true, cell: (one) => <strong>{one.value}</strong> },
          { title: "Type", isLong: true, cell: ({ entity_type }) => entity_type },
          { title: "Direction", cell: ({ direction }) => <Badge className="state" color="gray">{direction}</Badge> },
          { title: "Run", cell: ({ flow_run_id: run, step_key }) => <Link to="/runs/$run" params={{ run: String(run) }} search={{ step: step_key }}>{run}</Link> },
          { title: "When", cell: ({ created_at }) => <Instant at={created_at} /> },
        ]}
      />
    </>
  );
}
