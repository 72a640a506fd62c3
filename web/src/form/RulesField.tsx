// The rules of a map in a step's panel: what goes where, in a line each; they are drawn side by side with a sample.
import { Button, Input, Stack, Text, UnstyledButton } from "@mantine/core";
import { lazy, type ReactNode, Suspense, useState } from "react";

import { type Rule, type Transform, told } from "./rules";

const MapEditor = lazy(async () => ({ default: (await import("./MapEditor")).MapEditor }));

export interface RulesProps {
  label: string;
  description?: ReactNode;
  required?: boolean;
  transforms: Transform[];
  value: Rule[] | undefined;
  problems: Record<string, string[]>;
  readOnly: boolean;
  onChange: (value: unknown) => void;
}

export function RulesField(props: RulesProps) {
  const { label, description, required, value = [], problems, readOnly } = props;
  // The number of the rule to begin with; null begins with none of them.
  const [opened, setOpened] = useState<number | null>();
  return (
    <Input.Wrapper label={label} description={description} required={required} error={Object.values(problems).flat()[0]} size="xs" labelElement="div">
      <Stack gap={2} mt={4}>
        {value.map((rule, index) => (
          <UnstyledButton key={index} className="rule-line" onClick={() => setOpened(index)}>
            <Text span inherit fw={600}>
              {rule.target || "…"}
            </Text>
            <Text span inherit c="dimmed" truncate>
              {told(rule)}
            </Text>
          </UnstyledButton>
        ))}
        <Button variant="light" size="compact-xs" w="fit-content" mt={4} onClick={() => setOpened(null)}>
          {readOnly ? "Show with a sample" : "Map fields"}
        </Button>
      </Stack>
      <Suspense>{opened !== undefined && <MapEditor {...props} value={value} first={opened} onClose={() => setOpened(undefined)} />}</Suspense>
    </Input.Wrapper>
  );
}
