// A list of records, each a small form of its own that can be moved and removed.
import { ActionIcon, Button, Group, Input, Paper, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";

import { Icon } from "../ui/Icon";
import { type Schema, under } from "./schema";
import { SchemaForm, type Values } from "./SchemaForm";

interface Props {
  label: string;
  description?: ReactNode;
  required?: boolean;
  items: Schema;
  root: Schema;
  value: Values[] | undefined;
  problems: Record<string, string[]>;
  readOnly: boolean;
  onChange: (value: unknown) => void;
}

export function ListField({ label, description, required, items, root, value = [], problems, readOnly, onChange }: Props) {
  const change = (next: Values[]) => onChange(next.length ? next : undefined);
  const swap = (at: number, to: number) => {
    const next = [...value];
    const [moved] = next.splice(at, 1);
    if (moved) next.splice(to, 0, moved);
    change(next);
  };
  return (
    <Input.Wrapper label={label} description={description} required={required} error={problems[""]?.join(" ")} size="xs">
      <Stack gap="xs" mt={4}>
        {value.map((item, index) => (
          <Paper key={index} withBorder p="xs">
            <Group justify="space-between" mb={4}>
              <Text size="xs" c="dimmed">
                {index + 1}
              </Text>
              {!readOnly && (
                <Group gap={2}>
                  <Button variant="subtle" color="gray" size="compact-xs" disabled={index === 0} onClick={() => swap(index, index - 1)}>
                    Up
                  </Button>
                  <Button variant="subtle" color="gray" size="compact-xs" disabled={index === value.length - 1} onClick={() => swap(index, index + 1)}>
                    Down
                  </Button>
                  <ActionIcon variant="subtle" color="gray" size="sm" aria-label={`Remove ${index + 1}`} onClick={() => change(value.filter((_, at) => at !== index))}>
                    <Icon name="close" />
                  </ActionIcon>
                </Group>
              )}
            </Group>
            <SchemaForm schema={items} root={root} values={item} problems={under(problems, String(index))} readOnly={readOnly} onChange={(next) => change(value.map((old, at) => (at === index ? next : old)))} />
          </Paper>
        ))}
        {!readOnly && (
          <Button variant="light" size="compact-xs" w="fit-content" onClick={() => change([...value, {}])}>
            Add
          </Button>
        )}
      </Stack>
    </Input.Wrapper>
  );
}
