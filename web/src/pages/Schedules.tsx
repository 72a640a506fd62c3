// What fires next across all flows, on a line of time.
import { Group, SegmentedControl, Select } from "@mantine/core";
import { useInterval } from "@mantine/hooks";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";

import type { UpcomingSchedule } from "../api/contract";
import { useRead } from "../api/hooks";
import { SlotsModal } from "../schedules/Slots";
import { TimeLine } from "../schedules/TimeLine";
import { FlowSelect } from "../ui/FlowSelect";
import { Pager } from "../ui/Pager";
import { Empty, Failure, Loading, PageTitle } from "../ui/parts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const thisMinute = () => Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;

export function Schedules() {
  const search = useSearch({ from: "/shell/schedules" });
  const navigate = useNavigate({ from: "/schedules" });
  const [from, setFrom] = useState(thisMinute);
  useInterval(() => setFrom(thisMinute()), MINUTE_MS, { autoInvoke: true });
  const [slotsOf, setSlotsOf] = useState<UpcomingSchedule>();
  const hours = search.hours ?? 24;
  const to = from + hours * HOUR_MS;
  const query = { from, to, page: search.page, per_page: 25, "filter[flow_id]": search.flow, "filter[is_enabled]": search.enabled };
  const found = useRead("list_upcoming_schedules", { query }, { placeholderData: (old) => old });
  const narrow = (change: Partial<typeof search>) => void navigate({ search: (old) => ({ ...old, ...change, page: undefined }) });
  const isFiltered = search.flow !== undefined || search.enabled !== undefined;
  return (
    <>
      <PageTitle title="Schedules">
        <SegmentedControl size="xs" aria-label="How far" value={String(hours)} onChange={(next) => narrow({ hours: Number(next) })} data={[{ value: "24", label: "24 hours" }, { value: "168", label: "7 days" }]} />
      </PageTitle>
      <Group gap="xs" mb="xs">
        <FlowSelect value={search.flow} onChange={(flow) => narrow({ flow })} />
        <Select aria-label="Enabled" placeholder="Enabled or not" clearable w={160} data={[{ value: "true", label: "Enabled" }, { value: "false", label: "Disabled" }]} value={search.enabled ?? null} onChange={(enabled) => narrow({ enabled: enabled ?? undefined })} />
      </Group>
      {found.error && <Failure error={found.error} again={() => void found.refetch()} />}
      {found.isLoading && <Loading />}
      {found.data?.data.length === 0 &&
        (isFiltered ? <Empty title="No schedule fits these filters">Clear one of them to see more.</Empty> : <Empty title="Nothing runs by itself yet">Choose one of your <Link to="/flows">flows</Link>, give its draft a schedule and deploy it: its next times then stand here.</Empty>)}
      {found.data && found.data.data.length > 0 && (
        <>
          <TimeLine schedules={found.data.data} span={{ from, to }} onSlots={setSlotsOf} />
          <Pager meta={found.data.meta} onPage={(page) => void navigate({ search: (old) => ({ ...old, page }) })} />
        </>
      )}
      <SlotsModal schedule={slotsOf} onClose={() => setSlotsOf(undefined)} />
    </>
  );
}
