// Names and their values, a row each.
import { ActionIcon, Button, Group, Input, Stack, TextInput } from "@mantine/core";
import { useState } from "react";

import { Icon } from "../ui/Icon";
import { parse } from "./JsonField";

interface Props {
  label: string;
  description?: string;
  required?: boolean;
  error?: string;
  disabled?: boolean;
  value: Record<string, unknown> | undefined;
  onChange: (value: Record<string, unknown> | undefined) => void;
}

type Row = [name: string, value: string];

export function MapField({ label, description, required, error, disabled, value, onChange }: Props) {
  const [rows, setRows] = useState<Row[]>(() => Object.entries(value ?? {}).map(([name, one]) => [name, typeof one === "string" ? one : JSON.stringify(one)]));
  const change = (next: Row[]) => {
    setRows(next);
    const named = next.filter(([name]) => name !== "");
    onChange(named.length ? Object.fromEntries(named.map(([name, one]) => [name, parse(one) ?? ""])) : undefined);
  };
  const edit = (at: number, row: Row) => change(rows.map((old, index) => (index === at ? row : old)));
  return (
    <Input.Wrapper label={label} description={description} required={required} error={error} size="xs">
      <Stack gap={4} mt={4}>
        {rows.map(([name, one], index) => (
          <Group key={index} gap={4} wrap="nowrap">
            <TextInput aria-label={`${label}: name ${index + 1}`} placeholder="name" value={name} disabled={disabled} onChange={(event) => edit(index, [event.currentTarget.value, one])} />
            <TextInput aria-label={`${label}: value ${index + 1}`} placeholder="value" flex={1} value={one} disabled={disabled} onChange={(event) => edit(index, [name, event.currentTarget.value])} />
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
