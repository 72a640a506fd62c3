import { Group, Select } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";

import { useChange, useRead } from "../api/hooks";
import { RunTable } from "../run/RunTable";
import { Confirm } from "../ui/Confirm";
import { useMe } from "../ui/me";
import { Pager } from "../ui/Pager";
import { Empty, Failure, Loading, PageTitle, STATUSES } from "../ui/parts";
import { tell } from "../ui/tell";

const REFRESH_MS = 3_000;
const TRIGGERS = ["API", "Manual", "Webhook", "Schedule", "Shape", "Retry", "Callback"];

export function Runs() {
  const search = useSearch({ from: "/shell/runs" });
  const navigate = useNavigate({ from: "/runs" });
  const { may } = useMe();
  const filters = { "filter[flow_id]": search.flow, "filter[status]": search.status, "filter[trigger]": search.trigger };
  const found = useRead("list_runs", { query: { ...filters, page: search.page, per_page: 25, sort: "-started_at" } }, { refetchInterval: REFRESH_MS });
  const flows = useRead("list_flows", { query: { per_page: 100 } }, { staleTime: 60_000 });
  const retry = useChange("retry_runs");
  const narrow = (change: Partial<typeof search>) => void navigate({ search: (old) => ({ ...old, ...change, page: undefined }) });
  const isFiltered = search.flow !== undefined || search.status !== undefined || search.trigger !== undefined;
  const canRetry = may("user") && isFiltered && (search.status === "3" || search.status === "4" || search.status === "5");
  return (
    <>
      <PageTitle title="Runs">
        {canRetry && (
          <Confirm
            label="Retry all of these"
            variant="light"
            title="Retry all runs of this list?"
            onConfirm={() => retry.mutate({ query: filters }, { onSuccess: ({ data }) => tell.done(`${data.flow_run_ids.length} runs were queued again.`), onError: tell.failed })}
          >
            Each goes on where it failed, once; what it had sent is not sent again. At most 1,000 at a time.
          </Confirm>
        )}
      </PageTitle>
      <Group gap="xs" mb="xs">
        <Select aria-label="Flow" placeholder="All flows" searchable clearable w={240} data={flows.data?.data.map(({ id, name }) => ({ value: String(id), label: name })) ?? []} value={search.flow ? String(search.flow) : null} onChange={(flow) => narrow({ flow: flow ? Number(flow) : undefined })} />
        <Select aria-label="State" placeholder="All states" clearable w={160} data={STATUSES.map((label, value) => ({ value: String(value), label }))} value={search.status ?? null} onChange={(status) => narrow({ status: status ?? undefined })} />
        <Select aria-label="Trigger" placeholder="All triggers" clearable w={160} data={TRIGGERS} value={search.trigger ?? null} onChange={(trigger) => narrow({ trigger: trigger ?? undefined })} />
      </Group>
      {found.error && <Failure error={found.error} again={() => void found.refetch()} />}
      {found.isLoading && <Loading />}
      {found.data?.data.length === 0 &&
        (isFiltered ? <Empty title="No run fits these filters">Clear one of them to see more.</Empty> : <Empty title="Nothing has run yet">Open a flow and press Run, or deploy a version with a schedule.</Empty>)}
      {found.data && found.data.data.length > 0 && (
        <>
          <RunTable runs={found.data.data} flows={new Map(flows.data?.data.map(({ id, name }) => [id, name]))} />
          <Pager meta={found.data.meta} onPage={(page) => void navigate({ search: (old) => ({ ...old, page }) })} />
        </>
      )}
    </>
  );
}
