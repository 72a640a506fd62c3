// What needs attention first: what failed, what waits, and what ran lately.
import { Anchor, Grid, Group, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import type { Run } from "../api/contract";
import { useRead } from "../api/hooks";
import { RunTable } from "../run/RunTable";
import { count } from "../ui/format";
import { Empty, Failure, Loading, PageTitle } from "../ui/parts";

const DAY_MS = 86_400_000;
const REFRESH_MS = 5_000;
const FAILED = "3,5";

export function Home() {
  const since = new Date(Math.floor((Date.now() - DAY_MS) / 60_000) * 60_000).toISOString();
  const live = { refetchInterval: REFRESH_MS };
  const failed = useRead("list_runs", { query: { "filter[status]": FAILED, "filter[started_after]": since, per_page: 10, sort: "-started_at" } }, live);
  const all = useRead("list_runs", { query: { "filter[started_after]": since, per_page: 10, sort: "-started_at" } }, live);
  const queued = useRead("list_queue", { query: { per_page: 1 } }, live);
  const letters = useRead("list_dead_letters", { query: { "filter[state]": "open", per_page: 1 } }, live);
  const flows = useRead("list_flows", { query: { per_page: 100 } });
  const names = new Map(flows.data?.data.map(({ id, name }) => [id, name]));
  if (failed.error) return <Failure error={failed.error} again={() => void failed.refetch()} />;
  if (!failed.data || !all.data) return <Loading />;
  return (
    <>
      <PageTitle title="Home" />
      <Grid mb="md">
        <Figure label="Runs in 24 hours" value={all.data.meta.total} to="/runs" capped={all.data.meta.total_is_capped} />
        <Figure label="Failed in 24 hours" value={failed.data.meta.total} to={`/runs?status=3`} isBad={failed.data.meta.total > 0} />
        <Figure label="In the queue" value={queued.data?.meta.total ?? 0} to="/runs?status=0" />
        <Figure label="Open dead letters" value={letters.data?.meta.total ?? 0} to="/dead-letters" isBad={(letters.data?.meta.total ?? 0) > 0} />
      </Grid>
      <Section title="Failed lately">
        <Listed runs={failed.data.data} names={names}>
          <Empty title="Nothing failed in the last 24 hours">When a run fails, it stands here with what went wrong.</Empty>
        </Listed>
      </Section>
      <Section title="Latest runs">
        <Listed runs={all.data.data} names={names}>
          <Empty title="Nothing ran in the last 24 hours">
            <Anchor component={Link} to="/flows">
              Open a flow
            </Anchor>{" "}
            and press Run, or deploy a version with a schedule.
          </Empty>
        </Listed>
      </Section>
    </>
  );
}

function Figure({ label, value, to, isBad, capped }: { label: string; value: number; to: string; isBad?: boolean; capped?: boolean }) {
  return (
    <Grid.Col span={{ base: 6, md: 3 }}>
      <Link to={to} className="row-link">
        <Stack gap={0} className="card" p="sm">
          <Text size="xl" fw={600} c={isBad ? "red" : undefined}>
            {count(value)}
            {capped ? "+" : ""}
          </Text>
          <Text size="xs" c="dimmed">
            {label}
          </Text>
        </Stack>
      </Link>
    </Grid.Col>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Stack gap="xs" mb="lg" component="section">
      <Group>
        <Text fw={600} component="h2" m={0} size="md">
          {title}
        </Text>
      </Group>
      {children}
    </Stack>
  );
}

function Listed({ runs, names, children }: { runs: Run[]; names: Map<number, string>; children: ReactNode }) {
  return runs.length ? <RunTable runs={runs} flows={names} /> : children;
}
