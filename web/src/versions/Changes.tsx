// What is different between two versions, step by step and field by field.
import { Badge, Box, Group, Stack, Table, Text } from "@mantine/core";

import type { Comparison, StepChange } from "./compare";
import { type FieldChange, lines } from "./differences";

const KIND_COLORS = { added: "teal", removed: "red", changed: "blue", rewired: "violet" } as const;

export function Changes({ found: { steps, variables, schedules } }: { found: Comparison }) {
  return (
    <Stack>
      <Summary steps={steps} />
      {steps.map((step) => (
        <StepDifference key={step.key} step={step} />
      ))}
      {variables.length > 0 && <Block title="Variables" changes={variables} />}
      {schedules.length > 0 && <Block title="Schedules" changes={schedules} />}
    </Stack>
  );
}

function Summary({ steps }: { steps: StepChange[] }) {
  const kinds = Object.entries(KIND_COLORS).map(([kind, color]) => ({ kind, color, size: steps.filter((step) => step.kind === kind).length }));
  return (
    <Group gap="xs">
      {kinds
        .filter(({ size }) => size)
        .map(({ kind, color, size }) => (
          <Badge key={kind} color={color}>
            {size} {size === 1 ? "step" : "steps"} {kind}
          </Badge>
        ))}
    </Group>
  );
}

function StepDifference({ step }: { step: StepChange }) {
  return (
    <Stack className="card" p="sm" gap="xs">
      <Group gap="xs">
        <Badge color={KIND_COLORS[step.kind]}>{step.kind}</Badge>
        <Text fw={600} size="sm" miw={0}>
          {step.name}
        </Text>
      </Group>
      {step.fields.length > 0 && <Fields changes={step.fields} isNew={step.kind === "added"} />}
    </Stack>
  );
}

function Block({ title, changes }: { title: string; changes: FieldChange[] }) {
  return (
    <Stack className="card" p="sm" gap="xs">
      <Text fw={600} size="sm">
        {title}
      </Text>
      <Fields changes={changes} isNew={false} />
    </Stack>
  );
}

function Fields({ changes, isNew }: { changes: FieldChange[]; isNew: boolean }) {
  return (
    <Table fz="xs" layout="fixed" verticalSpacing={4}>
      <Table.Tbody>
        {changes.map((change) => (
          <Table.Tr key={change.field}>
            <Table.Td w="24%" style={{ overflowWrap: "break-word" }}>
              {/* A long place is broken behind its dots. */}
              {change.field.replaceAll(".", ".\u200b")}
            </Table.Td>
            {isText(change) ? (
              <Table.Td className="mono" colSpan={2}>
                <Lines before={change.before as string} after={change.after as string} />
              </Table.Td>
            ) : (
              <>
                {!isNew && <Table.Td className="mono before">{written(change.before)}</Table.Td>}
                <Table.Td className="mono after">{written(change.after)}</Table.Td>
              </>
            )}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

/** Both are texts of several lines, which are read line by line. */
function isText({ before, after }: FieldChange): boolean {
  return typeof before === "string" && typeof after === "string" && (before.includes("\n") || after.includes("\n"));
}

function Lines({ before, after }: { before: string; after: string }) {
  return lines(before, after).map(({ kind, text }, index) => (
    <Box key={index} className={kind === "same" ? undefined : kind} style={{ whiteSpace: "pre-wrap" }}>
      {{ same: "  ", before: "- ", after: "+ " }[kind]}
      {text}
    </Box>
  ));
}

function written(value: unknown): string {
  return value === undefined ? "—" : typeof value === "string" ? value : JSON.stringify(value, null, 1);
}
