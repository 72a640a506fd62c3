// One run: why it ran and how it ended, its steps in time, and what each got and gave.
import { Box, Button, Group, List, Stack, Tabs, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Link, useParams } from "@tanstack/react-router";

import type { Run as RunRecord } from "../api/contract";
import { useChange, useRead } from "../api/hooks";
import { isFinished, useProgress } from "../canvas/progress";
import { Lines } from "../run/Lines";
import { RetryModal } from "../run/RetryModal";
import { Waterfall } from "../run/Waterfall";
import { duration } from "../ui/format";
import { useMe } from "../ui/me";
import { Failure, Instant, Loading, PageTitle, RunStatus } from "../ui/parts";
import { Told } from "../ui/Told";
import { tell } from "../ui/tell";

export function Run() {
  const { run: id } = useParams({ from: "/shell/runs/$run" });
  const run = Number(id);
  const { run: about, error } = useProgress(run);
  if (error) {
    return (
      <>
        <PageTitle title={`Run ${id}`} />
        <Failure error={error} />
      </>
    );
  }
  if (!about) return <Loading />;
  const failed = (about.summary?.error as { message?: string } | undefined)?.message;
  return (
    <>
      <PageTitle
        title={
          <Group gap="xs" component="span">
            Run {about.id} <RunStatus status={about.status} waits={about.resume_at !== undefined} />
          </Group>
        }
      >
        <Button variant="default" component={Link} to={`/flows/${about.flow_id}/canvas?version=${about.flow_version_id}&run=${about.id}`}>
          Show on the canvas
        </Button>
        <Actions run={about} />
      </PageTitle>
      {failed && (
        <Text c="red" size="sm" mb="xs">
          {failed}
        </Text>
      )}
      <About run={about} />
      <Tabs defaultValue="steps" keepMounted={false}>
        <Tabs.List mb="sm">
          <Tabs.Tab value="steps">Steps</Tabs.Tab>
          <Tabs.Tab value="log">Log</Tabs.Tab>
          <Tabs.Tab value="why">Why</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="steps">
          <Waterfall run={about} />
        </Tabs.Panel>
        <Tabs.Panel value="log">
          <Box className="card" p="xs">
            <Lines run={about} />
          </Box>
        </Tabs.Panel>
        <Tabs.Panel value="why">
          <Why run={run} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

function About({ run }: { run: RunRecord }) {
  const flow = useRead("get_flow", { path: { flow: run.flow_id } });
  return (
    <Text size="sm" c="dimmed" mb="sm">
      Version {run.iteration} of <Link to="/flows/$flow/runs" params={{ flow: String(run.flow_id) }}>{flow.data?.data.name ?? `flow ${run.flow_id}`}</Link>, started by {run.trigger.toLowerCase()}, queued <Instant at={run.queued_at} />
      {run.duration_ms !== undefined && `, took ${duration(run.duration_ms)}`}
      {run.has_warnings && ", with warnings in its log"}
      {run.retry_flow_run_id !== undefined && <>, a retry of <RunLink id={run.retry_flow_run_id} /></>}
      {run.parent_run_id !== undefined && <>, for <RunLink id={run.parent_run_id} /></>}
    </Text>
  );
}

function RunLink({ id }: { id: number }) {
  return (
    <Link to="/runs/$run" params={{ run: String(id) }}>
      run {id}
    </Link>
  );
}

function Actions({ run }: { run: RunRecord }) {
  const { may } = useMe();
  const stop = useChange("stop_run");
  const [open, { open: show, close }] = useDisclosure();
  if (!may("user")) return null;
  if (!isFinished(run)) {
    return (
      <Button color="orange" variant="light" loading={stop.isPending} onClick={() => stop.mutate({ path: { flow_run: run.id } }, { onError: tell.failed })}>
        Stop
      </Button>
    );
  }
  return (
    <>
      <Button onClick={show}>Retry</Button>
      <RetryModal run={run} opened={open} onClose={close} />
    </>
  );
}

function Why({ run }: { run: number }) {
  const found = useRead("explain_run", { path: { flow_run: run } });
  if (found.error) return <Failure error={found.error} />;
  if (!found.data) return <Loading rows={4} />;
  const { state, why, why_now, why_this_version, waited_for } = found.data.data;
  return (
    <Stack className="card" p="md" gap="xs" fz="sm">
      {[state, why, why_now, why_this_version].map((sentence) => (
        <Text key={sentence} size="sm">
          <Told>{sentence}</Told>
        </Text>
      ))}
      {waited_for.length > 0 && (
        <>
          <Text size="sm" fw={600}>
            It waited for
          </Text>
          <List size="sm">
            {waited_for.map((one) => (
              <List.Item key={one}>
                <Told>{one}</Told>
              </List.Item>
            ))}
          </List>
        </>
      )}
    </Stack>
  );
}
