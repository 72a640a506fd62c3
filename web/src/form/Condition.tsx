// A condition as nested groups of comparisons: all, any or none of them.
import { ActionIcon, Button, Group, Input, NativeSelect, Paper, Stack } from "@mantine/core";

import { Icon } from "../ui/Icon";
import { parse } from "./json";
import { PathInput } from "./PathInput";
import { TemplateInput } from "./TemplateInput";

export type Clause = Record<string, unknown>;
type Kind = "all" | "any" | "not";
const KINDS: Record<Kind, string> = { all: "All of these hold", any: "Any of these holds", not: "None of these holds" };
const VALUELESS = new Set(["is_empty", "is_not_empty"]);
const NEW: Clause = { field: "", operator: "equals", value: "" };

interface Props {
  label: string;
  description?: string;
  required?: boolean;
  error?: string;
  disabled?: boolean;
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
  const { value: _, ...rest } = value;
  const choose = (next: string) => onChange(VALUELESS.has(next) ? { ...rest, operator: next } : { ...value, operator: next });
  return (
    <Stack gap={4} mt={4}>
      <Group gap={4} wrap="nowrap" align="center">
        <PathInput aria-label="Field" placeholder="status" flex={1} disabled={disabled} value={String(value.field ?? "")} onText={(field) => onChange({ ...value, field })} />
        <NativeSelect aria-label="Operator" disabled={disabled} data={operators.map((one) => ({ value: one, label: one.replaceAll("_", " ") }))} value={operator} onChange={(event) => choose(event.currentTarget.value)} />
        <Remove disabled={disabled} onRemove={onRemove} />
      </Group>
      {!VALUELESS.has(operator) && (
        <TemplateInput aria-label="Value" placeholder={operator === "in" || operator === "between" ? '["a", "b"]' : "value or {{variable}}"} disabled={disabled} value={typeof value.value === "string" ? value.value : JSON.stringify(value.value ?? "")} onText={(text) => onChange({ ...value, value: parse(text) ?? "" })} />
      )}
      {!disabled && (
        <Button variant="subtle" size="compact-xs" w="fit-content" onClick={() => onChange({ all: [value, { ...NEW }] })}>
          And, or …
        </Button>
      )}
    </Stack>
  );
}

function Remove({ disabled, onRemove }: { disabled?: boolean; onRemove: () => void }) {
  if (disabled) return null;
  return (
    <ActionIcon variant="subtle" color="gray" aria-label="Remove the condition" onClick={onRemove}>
      <Icon name="close" />
    </ActionIcon>
  );
}
