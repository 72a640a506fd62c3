// How a flow does over time, its versions on one chart each.
import { Group, MultiSelect, Select, SimpleGrid, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";

import type { ApiError } from "../api/client";
import type { Metric } from "../api/contract";
import { useRead } from "../api/hooks";
import { LineChart } from "../charts/LineChart";
import { Empty, Failure, Loading } from "../ui/parts";
import { type Chart, CHARTS, drawn, intervalOf, KEYS, type Range, RANGES, readRange, spanOf, TYPES } from "../versions/charts";
import { allMetrics } from "../versions/results";

const DEFAULT_RANGE: Range = "7";

export function FlowMetrics() {
  const { flow } = useParams({ from: "/shell/flows/$flow" });
  const search = useSearch({ from: "/shell/flows/$flow/metrics" });
  const navigate = useNavigate({ from: "/flows/$flow/metrics" });
  const range = readRange(search.range) ?? DEFAULT_RANGE;
  const interval = intervalOf(range, search.interval);
  const span = useMemo(() => spanOf(range, Date.now()), [range]);
  const query = { "filter[interval]": interval, "filter[type]": TYPES, "filter[key]": KEYS, "filter[flow_version_id]": search.versions };
  const found = useQuery<Metric[], ApiError>({
    queryKey: ["list_version_metrics", flow, range, query],
    queryFn: () => allMetrics(flow, { ...query, "filter[from]": new Date(span[0] * 1_000).toISOString() }),
  });
  const show = (change: Partial<typeof search>) => void navigate({ search: (old) => ({ ...old, ...change }) });
  return (
    <Stack>
      <Group gap="xs">
        <Select aria-label="Range" w={150} allowDeselect={false} data={Object.entries(RANGES).map(([value, { label }]) => ({ value, label }))} value={range} onChange={(next) => show({ range: next ?? undefined, interval: undefined })} />
        <Select aria-label="Interval" w={130} allowDeselect={false} data={RANGES[range].intervals.map((value) => ({ value, label: `By ${value}` }))} value={interval} onChange={(next) => show({ interval: next ?? undefined })} />
        <Versions flow={flow} chosen={search.versions?.split(",") ?? []} onChange={(ids) => show({ versions: ids.join(",") || undefined })} />
      </Group>
      {found.error && <Failure error={found.error} again={() => void found.refetch()} />}
      {found.isLoading && <Loading />}
      {found.data?.length === 0 && <Empty title="Nothing ran in this time">Choose a longer one, or run the flow.</Empty>}
      {found.data && found.data.length > 0 && (
        <SimpleGrid cols={{ base: 1, lg: 2 }}>
          {CHARTS.map((chart) => (
            <MetricChart key={chart.title} metrics={found.data} span={span} chart={chart} />
          ))}
        </SimpleGrid>
      )}
    </Stack>
  );
}

function Versions({ flow, chosen, onChange }: { flow: string; chosen: string[]; onChange: (ids: string[]) => void }) {
  const found = useRead("list_versions", { path: { flow }, query: { per_page: 100, sort: "-created_at" } }, { staleTime: 60_000 });
  const data = found.data?.data.map(({ id, iteration }) => ({ value: String(id), label: `Version ${iteration}` })) ?? [];
  return <MultiSelect aria-label="Versions" placeholder={chosen.length ? undefined : "All versions"} size="xs" miw={180} searchable clearable limit={50} data={data} value={chosen} onChange={onChange} />;
}

function MetricChart({ metrics, span, chart }: { metrics: Metric[]; span: [number, number]; chart: Chart }) {
  const { instants, lines } = useMemo(() => drawn(metrics, chart), [metrics, chart]);
  return <LineChart title={chart.title} instants={instants} span={span} lines={lines} format={chart.format} isCounted={chart.isCounted} />;
}
