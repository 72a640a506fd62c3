// The sample in the map editor: where it is from, its fields, and another one pasted by hand.
import { Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { Loading } from "../ui/parts";
import { useAround } from "./around";
import { CodeField } from "./CodeField";
import type { Branch } from "./sample";
import { SampleTree } from "./SampleTree";

interface Props {
  shape: Branch[];
  used: Set<string>;
  readOnly: boolean;
  onChoose: (path: string) => void;
}

export function SampleFields({ shape, used, readOnly, onChoose }: Props) {
  const { sample, isLooking, paste } = useAround();
  const [text, setText] = useState<string>();
  if (isLooking) return <Loading rows={4} />;
  if (text !== undefined) return <Pasting text={text} onText={setText} onDone={() => setText(undefined)} />;
  return (
    <Stack gap="xs">
      <Group justify="space-between" wrap="nowrap">
        <Text size="xs" c="dimmed">
          {sample === undefined ? "No run has come here yet." : <Origin run={sample.run} />}
        </Text>
        <Group gap={4} wrap="nowrap">
          {sample && sample.run === undefined && (
            <Button variant="subtle" size="compact-xs" onClick={() => paste(undefined)}>
              From a run
            </Button>
          )}
          <Button variant="subtle" size="compact-xs" onClick={() => setText(sample ? JSON.stringify(sample.body, null, 2) : "")}>
            {sample ? "Change" : "Paste a sample"}
          </Button>
        </Group>
      </Group>
      {sample && !shape.length && <Text size="sm">This payload has no fields.</Text>}
      {!sample && <Text size="sm">Run the flow, or paste a payload, and its fields are listed here.</Text>}
      <SampleTree branches={shape} used={used} readOnly={readOnly} onChoose={onChoose} />
    </Stack>
  );
}

function Origin({ run }: { run: number | undefined }) {
  if (run === undefined) return "Pasted";
  return (
    <>
      From{" "}
      <Anchor component={Link} to={`/runs/${run}`} inherit>
        run {run}
      </Anchor>
    </>
  );
}

function Pasting({ text, onText, onDone }: { text: string; onText: (text: string) => void; onDone: () => void }) {
  const { paste } = useAround();
  const [fault, setFault] = useState<string>();
  const use = () => {
    try {
      paste({ body: JSON.parse(text) as unknown, content_type: "application/json", meta: {} });
      onDone();
    } catch (error) {
      setFault(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <Stack gap="xs">
      <CodeField label="Sample payload" error={fault} value={text} onText={onText} />
      <Group gap="xs">
        <Button onClick={use}>Use it</Button>
        <Button variant="default" onClick={onDone}>
          Cancel
        </Button>
      </Group>
    </Stack>
  );
}
