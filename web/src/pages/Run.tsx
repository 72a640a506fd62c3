// One run: why it ran and how it ended, its steps in time, and what each got and gave.
import { Badge, Box, Button, Grid, Group, List, Modal, Stack, Tabs, Text, Textarea, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";

import type { Run as RunRecord, RunStep } from "../api/contract";
import { useChange, useRead } from "../api/hooks";
import { isFinished, useProgress } from "../canvas/progress";
import { Lines } from "../run/Lines";
import { StepEvidence } from "../run/StepEvidence";
import { count, duration } from "../ui/format";
import { useMe } from "../ui/me";
import { Failure, Instant, Loading, PageTitle, RunStatus } from "../ui/parts";
import { tell } from "../ui/tell";

export function Run() {
  const { run: id } = useParams({ from: "/shell/runs/$run" });
  const run = Number(id);
  const { run: about, error } = useProgress(run);
  if (error) return <Failure error={error} />;
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
      <Text size="sm" c="dimmed" mb="sm">
        Version {about.iteration} of flow {about.flow_id}, started by {about.trigger.toLowerCase()}, queued <Instant at={about.queued_at} />
        {about.duration_ms !== undefined && `, took ${duration(about.duration_ms)}`}
      </Text>
      <Tabs defaultValue="steps" keepMounted={false}>
        <Tabs.List mb="sm">
          <Tabs.Tab value="steps">Steps</Tabs.Tab>
          <Tabs.Tab value="log">Log</Tabs.Tab>
          <Tabs.Tab value="why">Why</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="steps">
          <Steps run={about} />
        </Tabs.Panel>
        <Tabs.Panel value="log">
          <Box className="card" p="xs">
            <Lines run={run} />
          </Box>
        </Tabs.Panel>
        <Tabs.Panel value="why">
          <Why run={run} />
        </Tabs.Panel>
      </Tabs>
    </>
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
      <Retry run={run} opened={open} onClose={close} />
    </>
  );
}

function Retry({ run, opened, onClose, step }: { run: RunRecord; opened: boolean; onClose: () => void; step?: string }) {
  const navigate = useNavigate();
  const [payload, setPayload] = useState("");
  const retry = useChange("retry_run", {
    onSuccess: (answer) => {
      onClose();
      void navigate({ to: "/runs/$run", params: { run: String(answer.flow_run_id) } });
    },
  });
  return (
    <Modal opened={opened} onClose={onClose} title={`Retry run ${run.id}${step ? ` from ${step}` : ""}`}>
      <Stack>
        <Text size="sm">It goes on where it failed. What it had sent before is not sent again.</Text>
        <Textarea label="Payload in place of the failed one" description="Left empty, the same payloads are worked on again." autosize minRows={3} maxRows={14} value={payload} onChange={(event) => setPayload(event.currentTarget.value)} styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }} />
        {retry.error && <Failure error={retry.error} />}
        <Group justify="end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button loading={retry.isPending} onClick={() => retry.mutate({ path: { flow_run: run.id }, body: { from_step: step, ...(payload.trim() ? { payload } : {}) } })}>
            Retry
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function Steps({ run }: { run: RunRecord }) {
  const { step: chosen } = useSearch({ from: "/shell/runs/$run" });
  const navigate = useNavigate({ from: "/runs/$run" });
  const { may } = useMe();
  const [retrying, setRetrying] = useState<string>();
  const found = useRead("list_run_steps", { path: { flow_run: run.id } }, { refetchInterval: isFinished(run) ? false : 2_000 });
  if (found.error) return <Failure error={found.error} />;
  if (!found.data) return <Loading />;
  const steps = found.data.data;
  const step = steps.find((one) => one.key === chosen);
  const times = steps.flatMap((one) => (one.began_at ? [Date.parse(one.began_at), Date.parse(one.began_at) + (one.duration_ms ?? 0)] : []));
  const begin = Math.min(...times);
  const length = Math.max(1, Math.max(...times) - begin);
  return (
    <Grid>
      <Grid.Col span={{ base: 12, md: step ? 6 : 12 }}>
        <Stack gap={0} className="card">
          {steps.map((one) => (
            <StepLine key={one.key} step={one} begin={begin} length={length} isChosen={one.key === chosen} onChoose={() => void navigate({ search: { step: one.key } })} />
          ))}
        </Stack>
      </Grid.Col>
      {step && (
        <Grid.Col span={{ base: 12, md: 6 }}>
          <Stack className="card" p="sm" gap="xs">
            <Group justify="space-between">
              <Text fw={600} size="sm">
                {step.name}
              </Text>
              {may("user") && isFinished(run) && (
                <Button variant="default" size="compact-xs" onClick={() => setRetrying(step.key)}>
                  Retry from here
                </Button>
              )}
            </Group>
            {isFinished(run) ? <StepEvidence key={step.key} run={run.id} step={step.key} /> : <Text size="sm" c="dimmed">What the step got and gave is shown when the run has ended.</Text>}
          </Stack>
        </Grid.Col>
      )}
      <Retry key={retrying} run={run} opened={retrying !== undefined} onClose={() => setRetrying(undefined)} step={retrying} />
    </Grid>
  );
}

interface StepLineProps {
  step: RunStep;
  begin: number;
  length: number;
  isChosen: boolean;
  onChoose: () => void;
}

function StepLine({ step, begin, length, isChosen, onChoose }: StepLineProps) {
  const took = step.duration_ms ?? 0;
  const left = step.began_at ? ((Date.parse(step.began_at) - begin) / length) * 100 : 0;
  return (
    <UnstyledButton className="nav-link" aria-pressed={isChosen} data-status={isChosen ? "active" : undefined} onClick={onChoose} style={{ opacity: step.was_reached ? 1 : 0.5 }}>
      <Text size="sm" w={190} truncate>
        {step.name}
      </Text>
      <Box flex={1} pos="relative" h={10} visibleFrom="sm">
        {step.began_at && (
          <Box pos="absolute" h={10} bg={step.failed ? "red.6" : "teal.6"} style={{ borderRadius: 2, left: `${Math.min(left, 99.5)}%`, width: `max(3px, ${(took / length) * 100}%)` }} />
        )}
      </Box>
      <Group gap={6} w={220} justify="end" wrap="nowrap">
        {step.failed ? <Badge color="red" size="sm">{count(step.failed)} failed</Badge> : null}
        <Text size="xs" c="dimmed">
          {step.was_reached ? `${count(step.payloads_in ?? 0)} in, ${count(step.payloads_out ?? 0)} out, ${duration(took)}` : "not reached"}
        </Text>
      </Group>
    </UnstyledButton>
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
          {sentence}
        </Text>
      ))}
      {waited_for.length > 0 && (
        <>
          <Text size="sm" fw={600}>
            It waited for
          </Text>
          <List size="sm">
            {waited_for.map((one) => (
              <List.Item key={one}>{one}</List.Item>
            ))}
          </List>
        </>
      )}
    </Stack>
  );
}
