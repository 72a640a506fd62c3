// A live list of runs with its filters and what can be done with all of them.
import type { RunSearch } from "../addresses";
import { exactly } from "../api/filters";
import { useRead } from "../api/hooks";
import { useFlowNames } from "../ui/FlowSelect";
import { Pager } from "../ui/Pager";
import { Empty, Failure, Loading } from "../ui/parts";
import { BulkActions } from "./BulkActions";
import { RunFilters } from "./RunFilters";
import { RunTable } from "./RunTable";
import { filters, isFiltered } from "./search";

const REFRESH_MS = 3_000;
const TRACKED = 100;

interface Props {
  search: RunSearch;
  /** Of one flow only. */
  flow?: number;
  onSearch: (search: RunSearch) => void;
}

export function RunList({ search, flow, onSearch }: Props) {
  const of = flow ?? search.flow;
  const tracked = useRead("list_tracked_data", { query: { "filter[value]": exactly(search.value), "filter[flow_id]": of, per_page: TRACKED } }, { enabled: search.value !== undefined });
  const ids = search.value === undefined ? undefined : tracked.data?.data.map((one) => one.flow_run_id);
  const isKnown = search.value === undefined || ids !== undefined;
  const wanted = filters({ ...search, flow: of }, ids);
  const found = useRead("list_runs", { query: { ...wanted, page: search.page, per_page: 25 } }, { refetchInterval: REFRESH_MS, enabled: isKnown });
  const names = useFlowNames(flow === undefined ? (found.data?.data.map((run) => run.flow_id) ?? []) : []);
  const error = tracked.error ?? found.error;
  return (
    <>
      <RunFilters search={search} flow={flow} onChange={onSearch}>
        {(isFiltered(search) || flow !== undefined) && <BulkActions search={search} filters={wanted} />}
      </RunFilters>
      {error && <Failure error={error} again={() => void found.refetch()} />}
      {!error && !found.data && <Loading />}
      {found.data?.data.length === 0 && (isFiltered(search) ? <Empty title="No run fits these filters">Clear one of them to see more.</Empty> : <Empty title="Nothing has run yet">Start a run from the canvas, call the flow's webhook, or deploy a version with a schedule.</Empty>)}
      {found.data && found.data.data.length > 0 && (
        <>
          <RunTable runs={found.data.data} flows={flow === undefined ? names : undefined} />
          <Pager meta={found.data.meta} onPage={(page) => onSearch({ ...search, page })} />
        </>
      )}
    </>
  );
}
