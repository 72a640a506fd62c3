// Retrying a run: where it failed or from a step on, with an edited payload, on another version.
import { Button, Modal, Stack, Text, Textarea } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";

import type { Run, StepPayload } from "../api/contract";
import { useChange, useRead } from "../api/hooks";
import { FormButtons } from "../ui/FormButtons";
import { Failure } from "../ui/parts";
import { VersionSelect } from "../ui/VersionSelect";

interface Step {
  key: string;
  name: string;
}

interface Props {
  run: Run;
  /** Where it begins again; where it failed, unless a step is named. */
  step?: Step;
  opened: boolean;
  onClose: () => void;
}

export function RetryModal({ run, step, opened, onClose }: Props) {
  return (
    <Modal opened={opened} onClose={onClose} title={`Retry run ${run.id}${step ? ` from ${step.name}` : ""}`} size="lg">
      <Form run={run} step={step} onDone={onClose} />
    </Modal>
  );
}

function Form({ run, step, onDone }: { run: Run; step?: Step; onDone: () => void }) {
  const navigate = useNavigate();
  const [version, setVersion] = useState<number>();
  const [payload, setPayload] = useState<string>();
  const retry = useChange("retry_run", {
    onSuccess: (answer) => {
      onDone();
      void navigate({ to: "/runs/$run", params: { run: String(answer.flow_run_id) } });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    retry.mutate({ path: { flow_run: run.id }, body: { from_step: step?.key, version, payload } });
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <Text size="sm">{payload === undefined ? wholeOf(step) : aloneOf(step)}</Text>
        <VersionSelect flow={run.flow_id} label="Version" placeholder={`Version ${run.iteration}, on which it ran`} value={version} onChange={setVersion} />
        {payload === undefined ? <Edit run={run} step={step} onEdit={setPayload} /> : <Edited payload={payload} onChange={setPayload} />}
        {retry.error && <Failure error={retry.error} />}
        <FormButtons save="Retry" saving={retry.isPending} onCancel={onDone} />
      </Stack>
    </form>
  );
}

function wholeOf(step: Step | undefined): string {
  return `${step ? `All steps before ${step.name} are taken as they were.` : "It goes on where it failed."} What it had sent before is not sent again.`;
}

function aloneOf(step: Step | undefined): string {
  if (step) return `This payload alone goes on, from ${step.name}.`;
  return "This payload alone goes on, from where it failed. What the run had not come to yet goes on when you retry it once more, without an edit.";
}

function Edited({ payload, onChange }: { payload: string; onChange: (payload: string | undefined) => void }) {
  return (
    <Stack gap={4}>
      <Textarea
        label="Payload in place of the one there was"
        description="What it sends counts as new."
        data-autofocus
        autosize
        minRows={4}
        maxRows={18}
        value={payload}
        onChange={(event) => onChange(event.currentTarget.value)}
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
      />
      <Button variant="subtle" size="compact-xs" w="fit-content" onClick={() => onChange(undefined)}>
        Take the payloads as they were
      </Button>
    </Stack>
  );
}

/** Begins with the payload that is replaced: what the step was given, else the one that failed, else that of the start. */
function Edit({ run, step, onEdit }: { run: Run; step?: Step; onEdit: (payload: string) => void }) {
  const letters = useRead("list_dead_letters", { query: { "filter[flow_run_id]": run.id, per_page: 2 } }, { enabled: step === undefined });
  const letter = letters.data?.data.length === 1 ? letters.data.data[0] : undefined;
  const from = step?.key ?? letter?.step_key ?? "trigger";
  const side = from === "trigger" ? "after" : "before";
  const found = useRead("list_step_payloads", { path: { flow_run: run.id }, query: { step: from, side, per_page: 25 } }, { enabled: step !== undefined || letters.data !== undefined });
  const payloads = found.data?.data ?? [];
  const replaced = payloads.find(({ position }) => position === letter?.position) ?? payloads[0];
  return (
    <Button variant="default" w="fit-content" loading={found.isLoading || letters.isLoading} onClick={() => onEdit(written(replaced))}>
      Edit the payload
    </Button>
  );
}

function written(payload: StepPayload | undefined): string {
  if (!payload || payload.is_cut || payload.body === undefined) return "";
  return typeof payload.body === "string" ? payload.body : JSON.stringify(payload.body, null, 2);
}
