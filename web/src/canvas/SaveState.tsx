// Whether the draft is saved, as one sees it all the time.
import { Text, Tooltip } from "@mantine/core";

import type { SaveState as State } from "./editor";

export function SaveState({ state }: { state: State }) {
  if (state === "saved") return <Text size="xs" c="dimmed">Saved</Text>;
  if (state === "saving") return <Text size="xs" c="dimmed">Saving …</Text>;
  const message =
    state.error.status === 409
      ? "Somebody else changed this draft meanwhile. It is shown as it is now; make your change again."
      : state.error.message;
  return (
    <Tooltip label={message} multiline maw={360}>
      <Text size="xs" c="red" role="alert" lineClamp={1} maw={420}>
        Not saved: {message}
      </Text>
    </Tooltip>
  );
}
