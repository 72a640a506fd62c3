import { Select } from "@mantine/core";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";

import { useRead } from "../api/hooks";
import { RunTable } from "../run/RunTable";
import { Pager } from "../ui/Pager";
import { Empty, Failure, Loading, STATUSES } from "../ui/parts";

const REFRESH_MS = 3_000;

export function FlowRuns() {
  const { flow } = useParams({ from: "/shell/flows/$flow" });
  const search = useSearch({ from: "/shell/flows/$flow/runs" });
  const navigate = useNavigate({ from: "/flows/$flow/runs" });
  const found = useRead("list_runs", { query: { "filter[flow_id]": flow, "filter[status]": search.status, page: search.page, per_page: 25, sort: "-started_at" } }, { refetchInterval: REFRESH_MS });
  return (
    <>
      <Select aria-label="State" placeholder="All states" clearable w={180} mb="xs" data={STATUSES.map((label, value) => ({ value: String(value), label }))} value={search.status ?? null} onChange={(status) => void navigate({ search: { status: status ?? undefined, page: undefined } })} />
      {found.error && <Failure error={found.error} again={() => void found.refetch()} />}
      {found.isLoading && <Loading />}
      {found.data?.data.length === 0 && <Empty title="No run to show">Start one from the canvas, call the flow's webhook, or give its version a schedule.</Empty>}
      {found.data && found.data.data.length > 0 && (
        <>
          <RunTable runs={found.data.data} />
          <Pager meta={found.data.meta} onPage={(page) => void navigate({ search: (old) => ({ ...old, page }) })} />
        </>
      )}
    </>
  );
}
