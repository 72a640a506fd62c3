// The steps of a run in time; one that is chosen shows what it got and gave.
import { Badge, Box, Button, Grid, Group, Stack, Text, Tooltip, UnstyledButton } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";

import type { Run, RunStep } from "../api/contract";
import { useRead } from "../api/hooks";
import { isFinished } from "../canvas/progress";
import { count, duration } from "../ui/format";
import { useMe } from "../ui/me";
import { Failure, Loading } from "../ui/parts";
import { every } from "./live";
import { RetryModal } from "./RetryModal";
import { StepEvidence } from "./StepEvidence";

export function Waterfall({ run }: { run: Run }) {
  const { step: chosen } = useSearch({ from: "/shell/runs/$run" });
  const navigate = useNavigate({ from: "/runs/$run" });
  const found = useRead("list_run_steps", { path: { flow_run: run.id } }, { refetchInterval: every(run) });
  if (found.error) return <Failure error={found.error} />;
  if (!found.data) return <Loading />;
  const steps = found.data.data;
  const step = steps.find((one) => one.key === chosen);
  const times = steps.flatMap((one) => (one.began_at ? [Date.parse(one.began_at), Date.parse(one.began_at) + (one.duration_ms ?? 0)] : []));
  const begin = Math.min(...times);
  const length = Math.max(1, Math.max(...times) - begin);
  return (
    <Grid>
      <Grid.Col span={{ base: 12, md: step ? 5 : 12 }}>
        <Stack gap={0} className="card">
          {steps.map((one) => (
            <Line key={one.key} step={one} told={toldOf(one, isFinished(run))} begin={begin} length={length} isChosen={one.key === chosen} onChoose={() => void navigate({ search: { step: one.key === chosen ? undefined : one.key } })} />
          ))}
        </Stack>
      </Grid.Col>
      {step && (
        <Grid.Col span={{ base: 12, md: 7 }}>
          <Chosen key={step.key} run={run} step={step} />
        </Grid.Col>
      )}
    </Grid>
  );
}

function Chosen({ run, step }: { run: Run; step: RunStep }) {
  const { may } = useMe();
  const [retrying, setRetrying] = useState(false);
  return (
    <Stack className="card" p="sm" gap="xs">
      <Group justify="space-between">
        <Text fw={600} size="sm">
          {step.name}
        </Text>
        {may("user") && isFinished(run) && (
          <Button variant="default" size="compact-xs" onClick={() => setRetrying(true)}>
            Retry from here
          </Button>
        )}
      </Group>
      <StepEvidence run={run} step={step.key} />
      <RetryModal run={run} step={step} opened={retrying} onClose={() => setRetrying(false)} />
    </Stack>
  );
}

interface LineProps {
  step: RunStep;
  told: string;
  begin: number;
  length: number;
  isChosen: boolean;
  onChoose: () => void;
}

function Line({ step, told, begin, length, isChosen, onChoose }: LineProps) {
  const took = step.duration_ms ?? 0;
  const left = step.began_at ? ((Date.parse(step.began_at) - begin) / length) * 100 : 0;
  return (
    <UnstyledButton className="nav-link" aria-pressed={isChosen} data-status={isChosen ? "active" : undefined} onClick={onChoose} style={{ opacity: step.was_reached ? 1 : 0.5 }}>
      <Text size="sm" w={{ base: 130, sm: 190 }} truncate title={step.name}>
        {step.name}
      </Text>
      <Box flex={1} pos="relative" h={10} visibleFrom="sm">
        {step.began_at && (
          <Tooltip label={spent(step)}>
            <Box pos="absolute" h={10} bg={step.failed ? "red.6" : "teal.6"} style={{ borderRadius: 2, left: `${Math.min(left, 99.5)}%`, width: `max(3px, ${(took / length) * 100}%)` }} />
          </Tooltip>
        )}
      </Box>
      <Group gap={6} w={{ sm: 220 }} justify="end" wrap="nowrap">
        {step.failed ? <Badge color="red" size="sm">{count(step.failed)} failed</Badge> : null}
        <Text size="xs" c="dimmed">
          {told}
        </Text>
      </Group>
    </UnstyledButton>
  );
}

/** What came of a step; of a run that goes on only what it has written is known. */
function toldOf({ was_reached, payloads_in, payloads_out, duration_ms }: RunStep, isOver: boolean): string {
  if (!was_reached) return isOver ? "not reached" : "not reached yet";
  if (!isOver && payloads_in === undefined) return "reached";
  return `${count(payloads_in ?? 0)} in, ${count(payloads_out ?? 0)} out, ${duration(duration_ms ?? 0)}`;
}

/** What a step spent its time on: work, attempts, and each kind of wait. */
function spent({ duration_ms, cpu_ms, attempts, waited_ms }: RunStep): string {
  const waits = Object.entries(waited_ms ?? {}).map(([what, ms]) => `waited ${duration(ms)} (${what.replaceAll("_", " ")})`);
  return [duration(duration_ms ?? 0), cpu_ms ? `${duration(cpu_ms)} of work` : "", attempts && attempts > 1 ? `${attempts} attempts` : "", ...waits].filter(Boolean).join(", ");
}
