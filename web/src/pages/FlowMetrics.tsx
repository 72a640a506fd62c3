// How a flow does over time, its versions on one chart each.
import { Group, Select, SimpleGrid, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useMemo, useState } from "react";

import type { ApiError } from "../api/client";
import type { Metric } from "../api/contract";
import { type Line, LineChart } from "../charts/LineChart";
import { bytes, count, duration } from "../ui/format";
import { Empty, Failure, Loading } from "../ui/parts";
import { allMetrics } from "../versions/results";

const RANGES = {
  "1": { label: "Last 24 hours", interval: "hour" },
  "7": { label: "Last 7 days", interval: "hour" },
  "30": { label: "Last 30 days", interval: "day" },
  "365": { label: "Last year", interval: "week" },
} as const;
const DAY_MS = 86_400_000;
const COLORS = ["#0c8599", "#e8590c", "#6741d9", "#2b8a3e", "#c2255c", "#1971c2", "#e67700"];
const CHARTS: Array<{ title: string; type: Metric["type"]; name: string; format: (value: number) => string; isCounted: boolean }> = [
  { title: "Runs that succeeded", type: "runs", name: "success", format: count, isCounted: true },
  { title: "Runs that failed", type: "runs", name: "failure", format: count, isCounted: true },
  { title: "Duration, median", type: "duration", name: "p50", format: duration, isCounted: false },
  { title: "Duration, 95th percentile", type: "duration", name: "p95", format: duration, isCounted: false },
  { title: "Payloads", type: "payloads", name: "count", format: count, isCounted: true },
  { title: "Bytes of payloads", type: "payloads", name: "bytes", format: bytes, isCounted: true },
];

export function FlowMetrics() {
  const { flow } = useParams({ from: "/shell/flows/$flow" });
  const [range, setRange] = useState<keyof typeof RANGES>("7");
  const { interval } = RANGES[range];
  const span = useMemo((): [number, number] => [(Date.now() - Number(range) * DAY_MS) / 1_000, Date.now() / 1_000], [range]);
  const found = useQuery<Metric[], ApiError>({
    queryKey: ["list_version_metrics", flow, range],
    queryFn: () => allMetrics(flow, { "filter[interval]": interval, "filter[from]": new Date(span[0] * 1_000).toISOString() }),
  });
  return (
    <Stack>
      <Group>
        <Select aria-label="Range" w={160} allowDeselect={false} data={Object.entries(RANGES).map(([value, { label }]) => ({ value, label }))} value={range} onChange={(next) => next && setRange(next as keyof typeof RANGES)} />
      </Group>
      {found.error && <Failure error={found.error} />}
      {found.isLoading && <Loading />}
      {found.data?.length === 0 && <Empty title="Nothing ran in this time">Choose a longer one, or run the flow.</Empty>}
      {found.data && found.data.length > 0 && (
        <SimpleGrid cols={{ base: 1, lg: 2 }}>
          {CHARTS.map((chart) => (
            <MetricChart key={chart.title} metrics={found.data} span={span} {...chart} />
          ))}
        </SimpleGrid>
      )}
    </Stack>
  );
}

function MetricChart({ metrics, span, title, type, name, format, isCounted }: (typeof CHARTS)[number] & { metrics: Metric[]; span: [number, number] }) {
  const { instants, lines } = useMemo(() => drawn(metrics, type, name, isCounted), [metrics, type, name, isCounted]);
  return <LineChart title={title} instants={instants} span={span} lines={lines} format={format} />;
}

/** Pure: a line for each version, over all instants at which any version has a value. */
export function drawn(metrics: Metric[], type: Metric["type"], key: string, isCounted: boolean): { instants: number[]; lines: Line[] } {
  const seconds = ({ starts_at }: Metric) => Date.parse(starts_at) / 1_000;
  const instants = [...new Set(metrics.map(seconds))].sort((a, b) => a - b);
  const versions = [...new Map(metrics.map(({ iteration, flow_version_id }) => [iteration, flow_version_id]))].sort(([a], [b]) => a - b);
  const lines = versions.map(([iteration, id], index): Line => {
    const own = new Map(metrics.filter((one) => one.flow_version_id === id && one.type === type && one.key === key).map((one) => [seconds(one), one.value]));
    return { label: `Version ${iteration}`, color: COLORS[index % COLORS.length] ?? "#0c8599", values: instants.map((at) => own.get(at) ?? (isCounted ? 0 : null)) };
  });
  return { instants, lines };
}
