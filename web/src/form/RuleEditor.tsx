// One rule of a map: its target, what it takes, and what is done to that.
import { ActionIcon, Group, NativeSelect, Stack, TagsInput, TextInput } from "@mantine/core";
import { useState } from "react";

import { Icon } from "../ui/Icon";
import { useAround } from "./around";
import { JsonField } from "./JsonField";
import { PathInput } from "./PathInput";
import { hasOrigin, ORIGINS, type Origin, originOf, type Rule, type Transform, withOrigin } from "./rules";
import { Transforms } from "./Transforms";

interface Props {
  rule: Rule;
  transforms: Transform[];
  problems: Record<string, string[]>;
  readOnly: boolean;
  onChange: (rule: Rule) => void;
  onRemove: () => void;
}

export function RuleEditor({ rule, transforms, problems, readOnly, onChange, onRemove }: Props) {
  // What is chosen but still empty is not in the rule.
  const [chosen, setChosen] = useState(originOf(rule));
  const origin = hasOrigin(rule) ? originOf(rule) : chosen;
  const choose = (next: Origin) => {
    setChosen(next);
    onChange(withOrigin(rule, next));
  };
  const take = (value: unknown) => onChange({ ...rule, [origin]: value });
  const fault = Object.entries(problems).find(([place]) => place !== "target")?.[1].join(" ");
  return (
    <Stack gap={6} className="rule-editor">
      <Group gap={4} align="end" wrap="nowrap">
        <TextInput label="Target" placeholder="ship.city" flex={1} autoComplete="off" disabled={readOnly} error={problems.target?.join(" ")} value={rule.target ?? ""} onChange={(event) => onChange({ ...rule, target: event.currentTarget.value })} />
        <NativeSelect label="Takes" size="xs" disabled={readOnly} data={Object.entries(ORIGINS).map(([value, label]) => ({ value, label }))} value={origin} onChange={(event) => choose(event.currentTarget.value as Origin)} />
        {!readOnly && (
          <ActionIcon variant="subtle" color="gray" aria-label={`Remove the rule of ${rule.target || "no target"}`} onClick={onRemove}>
            <Icon name="trash" />
          </ActionIcon>
        )}
      </Group>
      <Taken origin={origin} rule={rule} error={fault} readOnly={readOnly} onTake={take} />
      <Transforms known={transforms} value={rule.transforms ?? []} readOnly={readOnly} onChange={(next) => onChange(next.length ? { ...rule, transforms: next } : withoutTransforms(rule))} />
    </Stack>
  );
}

interface TakenProps {
  origin: Origin;
  rule: Rule;
  error: string | undefined;
  readOnly: boolean;
  onTake: (value: unknown) => void;
}

function Taken({ origin, rule, error, readOnly, onTake }: TakenProps) {
  const { known } = useAround();
  switch (origin) {
    case "source":
      return <PathInput label="Source" placeholder="address.city" error={error} disabled={readOnly} value={rule.source ?? ""} onText={onTake} />;
    case "variable":
      return <TagsInput label="Variable" maxTags={1} error={error} disabled={readOnly} data={known.variables} value={rule.variable ? [rule.variable] : []} onChange={(next) => onTake(next[0] ?? "")} />;
    case "template":
      return <JsonField label="Template" error={error} disabled={readOnly} placeholder="Order [[payload.id]] of {{shop}}" value={rule.template} onChange={(next) => onTake(next ?? "")} />;
    case "value":
      return <JsonField label="Value" error={error} disabled={readOnly} value={rule.value} onChange={(next) => onTake(next ?? null)} />;
  }
}

function withoutTransforms({ transforms: _, ...rule }: Rule): Rule {
  return rule;
}
