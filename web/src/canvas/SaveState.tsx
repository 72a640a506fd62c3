// Whether the draft is saved, as one sees it all the time; and what to do where somebody else changed it meanwhile.
import { Alert, Button, Group, Text, Tooltip } from "@mantine/core";

import { Instant } from "../ui/parts";
import { useMe } from "../ui/me";
import type { Conflict, SaveState as State } from "./saving";

export function SaveState({ state, conflict }: { state: State; conflict: Conflict | undefined }) {
  if (conflict) return <Text size="xs" c="orange">Not saved</Text>;
  if (state === "saved") return <Text size="xs" c="dimmed">Saved</Text>;
  if (state === "saving") return <Text size="xs" c="dimmed">Saving …</Text>;
  const { message } = state.error;
  return (
    <Tooltip label={message} multiline maw={360}>
      <Text size="xs" c="red" role="alert" lineClamp={1} maw={420}>
        Not saved: {message}
      </Text>
    </Tooltip>
  );
}

export function ConflictNotice({ conflict: { by, at, decide } }: { conflict: Conflict }) {
  const { me } = useMe();
  const who = by === undefined ? "Somebody else" : by.id === me?.id ? "You, in another window," : by.name || by.email;
  return (
    <Alert color="orange" radius={0} py={6} role="alert">
      <Group justify="space-between" gap="xs">
        <Text size="sm">
          {who} changed this draft{at && <> <Instant at={at} /></>}. Your last change is not saved yet.
        </Text>
        <Group gap="xs">
          <Button variant="default" onClick={() => decide("theirs")}>
            Load theirs
          </Button>
          <Button color="orange" onClick={() => decide("mine")}>
            Apply mine again
          </Button>
        </Group>
      </Group>
    </Alert>
  );
}
