// What can be done with several steps that are chosen together.
import { Button, CloseButton, Group, Text } from "@mantine/core";

import { many } from "../ui/format";
import type { GroupActions } from "./actions";

export function GroupBar({ group, readOnly }: { group: GroupActions; readOnly: boolean }) {
  return (
    <Group className="card chosen" gap={4} wrap="nowrap" role="toolbar" aria-label="Chosen steps">
      <Text size="xs" fw={600} px={4} role="status" className="nowrap">
        {many(group.steps.length, "step")}
      </Text>
      <Action label="Copy" onAct={group.copy} />
      {!readOnly && <Action label="Duplicate" onAct={group.duplicate} />}
      {!readOnly && <Action label="Delete" color="red" onAct={group.remove} />}
      <CloseButton size="sm" aria-label="Choose none" onClick={group.leave} />
    </Group>
  );
}

function Action({ label, color = "gray", onAct }: { label: string; color?: string; onAct: () => void }) {
  return (
    <Button variant="subtle" size="compact-xs" color={color} onClick={onAct}>
      {label}
    </Button>
  );
}
