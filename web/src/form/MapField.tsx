// Names and their values, a row each.
import { ActionIcon, Button, Group, Input, Stack, TextInput, type TextInputProps } from "@mantine/core";
import { useEffect, useState } from "react";

import { Icon } from "../ui/Icon";
import { parse } from "./json";
import type { Labelled } from "./labelled";
import { same } from "./same";
import { TemplateInput } from "./TemplateInput";

interface Props extends Labelled {
  /** Whether the values are templates. */
  isTemplate?: boolean;
  value: Record<string, unknown> | undefined;
  onChange: (value: Record<string, unknown> | undefined) => void;
}

type Row = [name: string, value: string];

const rowsOf = (value: Record<string, unknown> = {}): Row[] => Object.entries(value).map(([name, one]) => [name, typeof one === "string" ? one : JSON.stringify(one)]);

function valueOf(rows: Row[]): Record<string, unknown> | undefined {
  const named = rows.filter(([name]) => name !== "");
  return named.length ? Object.fromEntries(named.map(([name, one]) => [name, parse(one) ?? ""])) : undefined;
}

export function MapField({ label, description, required, error, disabled, isTemplate = false, value, onChange }: Props) {
  const [rows, setRows] = useState<Row[]>(() => rowsOf(value));
  // Undo and others' edits show; rows that have no name yet are not lost to them.
  useEffect(() => setRows((now) => (same(valueOf(now) ?? {}, value ?? {}) ? now : rowsOf(value))), [value]);
  const change = (next: Row[]) => {
    setRows(next);
    onChange(valueOf(next));
  };
  const ValueInput = isTemplate ? TemplateInput : PlainInput;
  const edit = (at: number, row: Row) => change(rows.map((old, index) => (index === at ? row : old)));
  return (
    <Input.Wrapper label={label} description={description} required={required} error={error} size="xs">
      <Stack gap={4} mt={4}>
        {rows.map(([name, one], index) => (
          <Group key={index} gap={4} wrap="nowrap">
            <TextInput aria-label={`${label}: name ${index + 1}`} placeholder="name" value={name} disabled={disabled} onChange={(event) => edit(index, [event.currentTarget.value, one])} />
            <ValueInput aria-label={`${label}: value ${index + 1}`} placeholder="value" flex={1} value={one} disabled={disabled} onText={(text) => edit(index, [name, text])} />
            {!disabled && (
              <ActionIcon variant="subtle" color="gray" aria-label={`Remove ${name || "row"}`} onClick={() => change(rows.filter((_, at) => at !== index))}>
                <Icon name="close" />
              </ActionIcon>
            )}
          </Group>
        ))}
        {!disabled && (
          <Button variant="subtle" size="compact-xs" w="fit-content" onClick={() => setRows([...rows, ["", ""]])}>
            Add a row
          </Button>
        )}
      </Stack>
    </Input.Wrapper>
  );
}

function PlainInput({ onText, ...rest }: TextInputProps & { onText: (text: string) => void }) {
  return <TextInput {...rest} onChange={(event) => onText(event.currentTarget.value)} />;
}
