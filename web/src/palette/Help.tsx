// Which keys there are.
import { Group, Kbd, Modal, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";

import { useMe } from "../ui/me";
import { seen } from "../ui/places";

const ON_CANVAS: Array<[says: string, keys: string[]]> = [
  ["Go from step to step", ["↑", "↓", "←", "→"]],
  ["Open a step, close it", ["Enter", "Esc"]],
  ["Add a step after this one", ["+"]],
  ["Choose several steps", ["Shift", "↑", "↓", "←", "→"]],
  ["Choose one step more", ["Shift", "Enter", "click"]],
  ["Choose those within a frame", ["Shift", "drag"]],
  ["Choose all steps, or none", ["Ctrl", "A", "Esc"]],
  ["Move what is chosen", ["Alt", "↑", "↓", "←", "→"]],
  ["Delete what is chosen", ["Del"]],
  ["Copy and paste steps", ["Ctrl", "C", "V"]],
  ["Duplicate what is chosen", ["Ctrl", "D"]],
  ["Undo", ["Ctrl", "Z"]],
  ["Redo", ["Ctrl", "Shift", "Z"]],
  ["Run the version", ["Ctrl", "Enter"]],
];
const isMac = navigator.platform.startsWith("Mac");

export function Help({ onClose }: { onClose: () => void }) {
  const { may } = useMe();
  const places = seen(may).filter(({ key }) => key);
  return (
    <Modal opened onClose={onClose} title="Keyboard shortcuts">
      <Stack gap={6}>
        <Line says="Find a page, a flow, a run or an action">
          <Kbd>{isMac ? "⌘" : "Ctrl"}</Kbd> <Kbd>K</Kbd>
        </Line>
        <Line says="Go to the search field">
          <Kbd>/</Kbd>
        </Line>
        {may("manager") && (
          <Line says="New flow">
            <Kbd>N</Kbd>
          </Line>
        )}
        <Line says="These shortcuts">
          <Kbd>?</Kbd>
        </Line>
        <Heading>On the canvas</Heading>
        {ON_CANVAS.map(([says, keys]) => (
          <Line key={says} says={says}>
            {keys.map((key) => (
              <Kbd key={key} ml={4}>
                {key === "Ctrl" && isMac ? "⌘" : key}
              </Kbd>
            ))}
          </Line>
        ))}
        <Heading>One after the other</Heading>
        {places.map(({ to, label, key }) => (
          <Line key={to} says={label}>
            <Kbd>G</Kbd> <Kbd>{key?.toUpperCase()}</Kbd>
          </Line>
        ))}
      </Stack>
    </Modal>
  );
}

function Heading({ children }: { children: string }) {
  return (
    <Text size="xs" c="dimmed" fw={600} mt="xs">
      {children}
    </Text>
  );
}

function Line({ says, children }: { says: string; children: ReactNode }) {
  return (
    <Group justify="space-between" wrap="nowrap">
      <Text size="sm">{says}</Text>
      <span style={{ whiteSpace: "nowrap" }}>{children}</span>
    </Group>
  );
}
