// What is done to a value, one thing after the other, each with its arguments.
import { ActionIcon, Button, Group, NumberInput, Select, Stack, TextInput } from "@mantine/core";

import { Icon } from "../ui/Icon";
import { parse, written } from "./json";
import { PathInput } from "./PathInput";
import type { Argument, Transform, TransformUse } from "./rules";
import { label } from "./schema";

interface Props {
  known: Transform[];
  value: TransformUse[];
  readOnly: boolean;
  onChange: (value: TransformUse[]) => void;
}

export function Transforms({ known, value, readOnly, onChange }: Props) {
  const set = (at: number, next: TransformUse) => onChange(value.map((old, index) => (index === at ? next : old)));
  return (
    <Stack gap={6}>
      {value.map((use, index) => {
        const transform = known.find((one) => one.name === use.name);
        return (
          <Group key={index} gap={4} align="end" wrap="wrap">
            <Select aria-label={`Transform ${index + 1}`} w={150} searchable placeholder="Choose one" disabled={readOnly} data={known.map((one) => one.name)} value={use.name ?? null} onChange={(name) => set(index, { name: name ?? "" })} />
            {transform?.arguments.map((argument) => (
              <ArgumentField key={argument.name} argument={argument} value={use[argument.name]} readOnly={readOnly} onChange={(next) => set(index, withArgument(use, argument.name, next))} />
            ))}
            {!readOnly && (
              <ActionIcon variant="subtle" color="gray" aria-label={`Remove transform ${index + 1}`} onClick={() => onChange(value.filter((_, at) => at !== index))}>
                <Icon name="close" />
              </ActionIcon>
            )}
          </Group>
        );
      })}
      {!readOnly && (
        <Button variant="subtle" size="compact-xs" w="fit-content" onClick={() => onChange([...value, { name: "" }])}>
          Add a transform
        </Button>
      )}
    </Stack>
  );
}

interface ArgumentProps {
  argument: Argument;
  value: unknown;
  readOnly: boolean;
  onChange: (value: unknown) => void;
}

function ArgumentField({ argument, value, readOnly, onChange }: ArgumentProps) {
  const preset = argument.default === undefined || argument.default === null ? "" : written(argument.default);
  const common = { label: label(argument.name), placeholder: preset, disabled: readOnly, required: argument.required, w: 120 };
  if (argument.choices) return <Select {...common} data={argument.choices} clearable value={(value as string | undefined) ?? null} onChange={(next) => onChange(next ?? undefined)} />;
  switch (argument.kind) {
    case "integer":
    case "number":
      return <NumberInput {...common} hideControls allowDecimal={argument.kind === "number"} value={typeof value === "number" ? value : ""} onChange={(next) => onChange(next === "" ? undefined : Number(next))} />;
    case "path":
      return <PathInput {...common} value={text(value)} onText={(next) => onChange(next || undefined)} />;
    case "list":
    case "object":
    case "any":
      return <TextInput {...common} className="mono" value={written(value)} onChange={(event) => onChange(parse(event.currentTarget.value))} />;
    default:
      return <TextInput {...common} value={text(value)} onChange={(event) => onChange(event.currentTarget.value || undefined)} />;
  }
}

function withArgument(use: TransformUse, name: string, value: unknown): TransformUse {
  const { [name]: _, ...rest } = use;
  return { ...(rest as TransformUse), ...(value === undefined ? {} : { [name]: value }) };
}

const text = (value: unknown): string => (value === undefined || value === null ? "" : String(value));
