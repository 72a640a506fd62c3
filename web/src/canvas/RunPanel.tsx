// Beside the canvas while a run is watched: how it stands, and what the chosen step got and gave.
import { Anchor, Box, Button, Group, ScrollArea, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";

import type { Run, Step } from "../api/contract";
import { useChange } from "../api/hooks";
import { StepEvidence } from "../run/StepEvidence";
import { duration } from "../ui/format";
import { Instant, RunStatus } from "../ui/parts";
import { tell } from "../ui/tell";
import { isFinished } from "./progress";

interface Props {
  run: number;
  shown: Run | undefined;
  step: Step | undefined;
  /** Whether the version can be edited when the run is left. */
  isEditable: boolean;
  onClose: () => void;
}

export function RunPanel({ run, shown, step, isEditable, onClose }: Props) {
  const stop = useChange("stop_run");
  const error = (shown?.summary?.error as { message?: string } | undefined)?.message;
  return (
    <Box w={{ base: "100%", sm: 400 }} h={{ base: "50%", sm: "auto" }} className="beside" component="aside" aria-label="Run">
      <ScrollArea h="100%" p="sm" type="auto">
        <Stack gap="sm">
          <Group justify="space-between" wrap="nowrap">
            <Group gap="xs">
              <Anchor component={Link} to={`/runs/${run}`} fw={600} size="sm">
                Run {run}
              </Anchor>
              {shown && <RunStatus status={shown.status} waits={shown.resume_at !== undefined} />}
            </Group>
            <Button variant="subtle" color="gray" size="compact-xs" onClick={onClose}>
              {isEditable ? "Back to editing" : "Close"}
            </Button>
          </Group>
          {shown && (
            <Text size="xs" c="dimmed">
              Queued <Instant at={shown.queued_at} />
              {shown.duration_ms !== undefined && `, took ${duration(shown.duration_ms)}`}
            </Text>
          )}
          {error && (
            <Text size="sm" c="red">
              {error}
            </Text>
          )}
          {shown && !isFinished(shown) && (
            <Button variant="light" color="orange" w="fit-content" loading={stop.isPending} onClick={() => stop.mutate({ path: { flow_run: run } }, { onError: tell.failed })}>
              Stop
            </Button>
          )}
          {step && shown ? (
            <>
              <Text fw={600} size="sm">
                {step.name}
              </Text>
              <StepEvidence key={step.key} run={shown} step={step.key} />
            </>
          ) : (
            <Text size="sm" c="dimmed">
              {isFinished(shown) ? "Choose a step to see its payloads, requests and log." : "Steps light up as payloads reach them. Choose one to see what it has recorded."}
            </Text>
          )}
        </Stack>
      </ScrollArea>
    </Box>
  );
}
