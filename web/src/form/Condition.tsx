// A condition as nested groups of comparisons: all, any or none of them.
import { ActionIcon, Button, Group, Input, NativeSelect, Paper, Stack } from "@mantine/core";
import { useEffect, useState } from "react";

import { Icon } from "../ui/Icon";
import { fitting, readValue, writtenValue } from "./comparison";
import type { Labelled } from "./labelled";
import { PathInput } from "./PathInput";
import { same } from "./same";
import { TemplateInput } from "./TemplateInput";

export type Clause = Record<string, unknown>;
type Kind = "all" | "any" | "not";
const KINDS: Record<Kind, string> = { all: "All of these hold", any: "Any of these holds", not: "None of these holds" };
const VALUELESS = new Set(["is_empty", "is_not_empty"]);
const NEW: Clause = { operator: "equals", value: "" };

const HINTS: Record<string, string> = { in: "a, b", not_in: "a, b", between: "low, high" };

interface Props extends Labelled {
  operators: string[];
  value: Clause | undefined;
  onChange: (value: Clause | undefined) => void;
}

export function Condition({ label, description, required, error, value, ...rest }: Props) {
  const isEmpty = !value || Object.keys(value).length === 0;
  return (
    <Input.Wrapper label={label} description={description} required={required} error={error} size="xs">
      {isEmpty ? (
        <Button variant="light" size="compact-xs" mt={4} disabled={rest.disabled} onClick={() => rest.onChange({ ...NEW })}>
          Add a condition
        </Button>
      ) : (
        <ClauseEditor {...rest} value={value} onRemove={() => rest.onChange(undefined)} />
      )}
    </Input.Wrapper>
  );
}

interface ClauseProps {
  operators: string[];
  disabled?: boolean;
  value: Clause;
  onChange: (value: Clause) => void;
  onRemove: () => void;
}

function kindOf(value: Clause): Kind | undefined {
  return (Object.keys(KINDS) as Kind[]).find((kind) => kind in value);
}

function ClauseEditor(props: ClauseProps) {
  return kindOf(props.value) ? <GroupEditor {...props} /> : <Comparison {...props} />;
}

function GroupEditor({ value, operators, disabled, onChange, onRemove }: ClauseProps) {
  const kind = kindOf(value) ?? "all";
  const held = value[kind];
  const clauses = (Array.isArray(held) ? held : [held]) as Clause[];
  const set = (next: Clause[]) => (next.length ? onChange({ [kind]: next }) : onRemove());
  return (
    <Paper withBorder p="xs" mt={4}>
      <Group justify="space-between" wrap="nowrap">
        <NativeSelect aria-label="How the conditions are joined" value={kind} disabled={disabled} data={Object.entries(KINDS).map(([one, words]) => ({ value: one, label: words }))} onChange={(event) => onChange({ [event.currentTarget.value]: clauses })} />
        <Remove disabled={disabled} onRemove={onRemove} />
      </Group>
      <Stack gap={4} mt={4}>
        {clauses.map((clause, index) => (
          <ClauseEditor key={index} value={clause} operators={operators} disabled={disabled} onChange={(next) => set(clauses.map((old, at) => (at === index ? next : old)))} onRemove={() => set(clauses.filter((_, at) => at !== index))} />
        ))}
      </Stack>
      {!disabled && (
        <Group gap={4} mt={4}>
          <Button variant="subtle" size="compact-xs" onClick={() => set([...clauses, { ...NEW }])}>
            Add a condition
          </Button>
          <Button variant="subtle" size="compact-xs" onClick={() => set([...clauses, { all: [{ ...NEW }] }])}>
            Add a group
          </Button>
        </Group>
      )}
    </Paper>
  );
}

function Comparison({ value, operators, disabled, onChange, onRemove }: ClauseProps) {
  const operator = String(value.operator ?? "equals");
  const { value: held, field, ...rest } = value;
  // What is empty is left out: it is missing yet, and not wrong.
  const set = (changed: Clause) => onChange(Object.fromEntries(Object.entries({ field, ...rest, value: held, ...changed }).filter(([, one]) => one !== undefined)));
  const choose = (next: string) => set({ operator: next, value: VALUELESS.has(next) ? undefined : fitting(next, held ?? "") });
  return (
    <Stack gap={4} mt={4}>
      <Group gap={4} wrap="nowrap" align="center">
        <PathInput aria-label="Field" placeholder="status" flex={1} disabled={disabled} value={String(field ?? "")} onText={(next) => set({ field: next || undefined })} />
        <NativeSelect aria-label="Operator" disabled={disabled} data={operators.map((one) => ({ value: one, label: one.replaceAll("_", " ") }))} value={operator} onChange={(event) => choose(event.currentTarget.value)} />
        <Remove disabled={disabled} onRemove={onRemove} />
      </Group>
      {!VALUELESS.has(operator) && (
        <ValueField operator={operator} disabled={disabled} value={held} onChange={(next) => set({ value: next })} />
      )}
      {!disabled && (
        <Button variant="subtle" size="compact-xs" w="fit-content" onClick={() => onChange({ all: [value, { ...NEW }] })}>
          And, or …
        </Button>
      )}
    </Stack>
  );
}

interface ValueProps {
  operator: string;
  disabled?: boolean;
  value: unknown;
  onChange: (value: unknown) => void;
}

function ValueField({ operator, disabled, value, onChange }: ValueProps) {
  const [text, setText] = useState(writtenValue(value));
  useEffect(() => setText((now) => (same(readValue(operator, now), value) ? now : writtenValue(value))), [operator, value]);
  const change = (next: string) => {
    setText(next);
    onChange(readValue(operator, next));
  };
  return <TemplateInput aria-label="Value" placeholder={HINTS[operator] ?? "value or {{variable}}"} disabled={disabled} value={text} onText={change} />;
}

function Remove({ disabled, onRemove }: { disabled?: boolean; onRemove: () => void }) {
  if (disabled) return null;
  return (
    <ActionIcon variant="subtle" color="gray" aria-label="Remove the condition" onClick={onRemove}>
      <Icon name="close" />
    </ActionIcon>
  );
}
