// What needs attention first: what failed, went silent or is late; what waits; and how flows did in the last 24 hours.
import { Grid, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import type { Overview } from "../api/contract";
import { useRead } from "../api/hooks";
import { FirstFlow } from "../flows/FirstFlow";
import { total } from "../flows/results";
import { Attention } from "../overview/Attention";
import { matters } from "../overview/attention";
import { Busiest } from "../overview/Busiest";
import { Faults, Health } from "../overview/Health";
import { Processes } from "../overview/Processes";
import { count } from "../ui/format";
import { Empty, Failure, Instant, Loading, PageTitle, Section } from "../ui/parts";

const REFRESH_MS = 10_000;
const PROCESSES_SHOWN = 10;

export function Home() {
  const found = useRead("get_overview", {}, { refetchInterval: REFRESH_MS });
  const overview = found.data?.data;
  return (
    <>
      <PageTitle title="Home">{overview && <Health found={overview} />}</PageTitle>
      {found.error && <Failure error={found.error} again={() => void found.refetch()} />}
      {found.isLoading && <Loading />}
      {overview && <Faults faults={overview.faults} />}
      {overview && (overview.flows_count ? <Matters overview={overview} /> : <FirstFlow />)}
      {overview && <Processes limit={PROCESSES_SHOWN} />}
    </>
  );
}

function Matters({ overview }: { overview: Overview }) {
  const failed = overview.runs.failure + overview.runs.partial;
  return (
    <>
      <Grid mb="lg" gap="sm">
        <Figure label="Runs ended in 24 hours" value={total(overview.runs)} to="/runs" />
        <Figure label="Failed, in all or in part" value={failed} to="/runs" search={{ status: overview.runs.failure ? "3" : "5" }} isBad={failed > 0} />
        <Figure label="Going on" value={overview.started} to="/runs" search={{ status: "1" }} />
        <Figure label={<InTheQueue since={overview.waiting_since} />} value={overview.queued} to="/runs" search={{ status: "0" }} />
        <Figure label="Open dead letters" value={overview.open_dead_letters} to="/dead-letters" isBad={overview.open_dead_letters > 0} />
      </Grid>
      <Section title="Needs attention">
        <Attention matters={matters(overview)} />
      </Section>
      <Section title="Flows in the last 24 hours">
        {overview.busiest.length ? <Busiest flows={overview.busiest} /> : <NothingRan />}
      </Section>
    </>
  );
}

interface FigureProps {
  label: ReactNode;
  value: number;
  to: "/runs" | "/dead-letters";
  search?: { status: string };
  isBad?: boolean;
}

function Figure({ label, value, to, search, isBad }: FigureProps) {
  return (
    <Grid.Col span={{ base: 6, sm: 4, md: "auto" }}>
      <Link to={to} search={search ?? {}} className="figure">
        <Stack gap={0} className="card" p="sm" h="100%">
          <Text size="xl" fw={600} lh={1.2} c={isBad ? "var(--mantine-color-red-text)" : undefined}>
            {count(value)}
          </Text>
          <Text size="xs" c="dimmed">
            {label}
          </Text>
        </Stack>
      </Link>
    </Grid.Col>
  );
}

function InTheQueue({ since }: { since: string | undefined }) {
  if (!since) return "In the queue";
  return (
    <>
      In the queue
      <br />
      oldest: <Instant at={since} />
    </>
  );
}

function NothingRan() {
  return (
    <Empty title="Nothing ran in the last 24 hours">
      <Link to="/flows">Open a flow</Link> and press Run, or deploy a version with a schedule.
    </Empty>
  );
}
