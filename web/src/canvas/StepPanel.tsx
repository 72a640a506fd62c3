// What is set of a chosen step: its name, whether it is on, its routes, and the fields of its type.
import { Button, Group, ScrollArea, Spoiler, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useEffect, useState } from "react";

import type { Route, Step, StepType } from "../api/contract";
import type { Schema } from "../form/schema";
import { SchemaForm, under, type Values } from "../form/SchemaForm";
import { Confirm } from "../ui/Confirm";
import type { Editor } from "./editor";
import { Routes } from "./Routes";

interface Props {
  step: Step;
  type: StepType | undefined;
  routes: Route[];
  editor: Editor;
  readOnly: boolean;
  onClose: () => void;
}

export function StepPanel({ step, type, routes, editor, readOnly, onClose }: Props) {
  const [name, setName] = useState(step.name);
  const [config, setConfig] = useState<Values>(step.config);
  const save = (values: Values) => editor.soon(`config ${step.id}`, () => void editor.change(step, { config: values }));
  const rename = (next: string) => editor.soon(`name ${step.id}`, () => void editor.change(step, { name: next }));
  // Undo and others' edits show at once; one's own typing is not overwritten by its echo.
  const outside = JSON.stringify(step.config);
  useEffect(() => setConfig(JSON.parse(outside) as Values), [outside]);
  useEffect(() => setName(step.name), [step.name]);

  const refused = typeof editor.state === "object" ? editor.state.error.errors : {};
  const problems = { ...under(step.problems ?? {}, "config"), ...under(refused, "config") };
  const isTrigger = step.microservice === "trigger";
  return (
    <ScrollArea h="100%" p="sm" type="auto">
      <Stack gap="sm">
        <Group justify="space-between" wrap="nowrap">
          <Text fw={600}>{type?.title}</Text>
          <Button variant="subtle" color="gray" size="compact-xs" onClick={onClose}>
            Close
          </Button>
        </Group>
        {type && (
          <Spoiler maxHeight={36} showLabel="More" hideLabel="Less" fz="xs" c="dimmed">
            {type.help} {type.failure}
          </Spoiler>
        )}
        <TextInput
          label="Name"
          value={name}
          disabled={readOnly}
          onChange={(event) => {
            setName(event.currentTarget.value);
            if (event.currentTarget.value.trim()) rename(event.currentTarget.value);
          }}
        />
        {!isTrigger && <Switch label="Runs" description="Switched off, payloads pass it as they are." checked={step.is_enabled} disabled={readOnly} onChange={(event) => void editor.change(step, { is_enabled: event.currentTarget.checked })} />}
        {type?.has_routes && <Routes step={step} routes={routes} editor={editor} readOnly={readOnly} isFixed={step.microservice === "try-catch"} withConditions={step.microservice === "route"} />}
        {type && (
          <SchemaForm
            key={step.id}
            schema={type.schema as Schema}
            root={type.schema as Schema}
            values={config}
            problems={problems}
            readOnly={readOnly}
            onChange={(values) => {
              setConfig(values);
              save(values);
            }}
          />
        )}
        {!isTrigger && !readOnly && (
          <Confirm
            label="Delete step"
            title={`Delete "${step.name}"?`}
            variant="light"
            color="red"
            w="fit-content"
            onConfirm={() => {
              onClose();
              void editor.drop(step);
            }}
          >
            What follows it moves up to its parent. Undo brings it back.
          </Confirm>
        )}
      </Stack>
    </ScrollArea>
  );
}
