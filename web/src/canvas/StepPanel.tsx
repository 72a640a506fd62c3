// What is set of a chosen step: its name, whether it is on, its routes, and the fields of its type.
import { Button, Group, ScrollArea, Spoiler, Stack, Switch, Text, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";

import type { Step, StepType, StepUpdate } from "../api/contract";
import { AroundContext } from "../form/around";
import { check, merged } from "../form/check";
import { type Schema, under } from "../form/schema";
import { SchemaForm } from "../form/SchemaForm";
import { Confirm } from "../ui/Confirm";
import { Ticked } from "../ui/Ticked";
import { useStable } from "../ui/stable";
import type { Editor } from "./editor";
import type { Tree } from "./graph";
import { Routes } from "./Routes";
import { useAroundStep } from "./samples";
import { type StepActions, StepMenu } from "./StepMenu";
import { useTyped } from "./typed";

interface Props {
  flow: number;
  step: Step;
  type: StepType | undefined;
  tree: Tree;
  editor: Editor;
  actions: StepActions;
  readOnly: boolean;
  /** Why it can only be read. */
  hint?: string;
  onClose: () => void;
}

export function StepPanel({ flow, step, type, tree, editor, actions, readOnly, hint, onClose }: Props) {
  // As it is when it is saved, not when it was typed: that is what undo goes back to.
  const change = useStable((body: StepUpdate, what: string) => editor.change(step, body, what));
  const save = (part: keyof StepUpdate, value: unknown) => editor.soon(`${part}${fieldsOf(step)}`, (what) => change({ [part]: value }, what));
  const { forget } = editor;
  const own = fieldsOf(step);
  useEffect(() => () => forget(own), [forget, own]);
  const [name, setName] = useTyped(step.name, async (next) => next.trim() !== "" && save("name", next));
  const [config, setConfig] = useTyped(step.config, (next) => save("config", next));
  const around = useAroundStep(flow, tree, step, config);
  const schema = type?.schema as Schema | undefined;
  const refused = typeof editor.state === "object" ? editor.state.error.errors : undefined;
  const problems = useMemo(() => {
    const said = { ...under(step.problems ?? {}, "config"), ...under(refused ?? {}, "config") };
    return schema && !readOnly ? merged(check(schema, config, schema), said, config) : said;
  }, [step.problems, refused, schema, config, readOnly]);
  const isTrigger = step.microservice === "trigger";
  const hasFollowers = tree.branches(step).some((branch) => branch.steps.length > 0);
  return (
    <ScrollArea h="100%" p="sm" type="auto">
      <Stack gap="sm">
        <Group justify="space-between" wrap="nowrap">
          <Text fw={600}>{type?.title}</Text>
          <Group gap={4} wrap="nowrap">
            {!isTrigger && <StepMenu actions={actions} isOn={step.is_enabled} hasFollowers={hasFollowers} readOnly={readOnly} />}
            <Button variant="subtle" color="gray" size="compact-xs" onClick={onClose}>
              Close
            </Button>
          </Group>
        </Group>
        {type && (
          <Spoiler maxHeight={40} showLabel="More" hideLabel="Less" fz="xs" c="dimmed" styles={{ control: { fontSize: "inherit" } }}>
            <Ticked>{`${type.help} ${type.failure}`}</Ticked>
          </Spoiler>
        )}
        {hint && (
          <Text size="xs" c="dimmed">
            {hint}
          </Text>
        )}
        {isTrigger && (
          <Text size="xs" c="dimmed">
            It runs by its <Link to="/flows/$flow/schedules" params={{ flow: String(flow) }}>schedules</Link>, or when one of its <Link to="/flows/$flow/settings" params={{ flow: String(flow) }}>webhooks</Link> is called.
          </Text>
        )}
        <TextInput label="Name" value={name} disabled={readOnly} error={name.trim() ? undefined : "A step has a name."} onChange={(event) => setName(event.currentTarget.value)} />
        {!isTrigger && <Switch label="Switched on" description={type?.has_routes ? "Switched off, payloads end here: no route gets them." : "Switched off, payloads pass it as they are."} checked={step.is_enabled} disabled={readOnly} onChange={actions.turn} />}
        {type?.has_routes && <Routes step={step} tree={tree} editor={editor} readOnly={readOnly} isFixed={step.microservice === "try-catch"} withConditions={step.microservice === "route"} />}
        {schema && (
          <AroundContext value={around}>
            <SchemaForm schema={schema} root={schema} values={config} problems={problems} readOnly={readOnly} onChange={setConfig} />
          </AroundContext>
        )}
        {!isTrigger && !readOnly && (
          <Confirm label="Delete step" title={`Delete "${step.name}"?`} variant="light" color="red" w="fit-content" onConfirm={() => actions.remove(false)}>
            What follows it moves up to its parent. Undo brings it back.
          </Confirm>
        )}
      </Stack>
    </ScrollArea>
  );
}

/** What the fields of a step's panel end in, those of its routes too. */
const fieldsOf = (step: Step): string => ` of step ${step.id}`;
