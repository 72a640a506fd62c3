// Starting a run of the version one looks at, with a payload or without.
import { Button, Group, Modal, Stack, Text, Textarea } from "@mantine/core";
import { useState } from "react";

import type { Version } from "../api/contract";
import { useChange } from "../api/hooks";
import { UNDECIDED } from "../pages/Deploy";
import { Failure } from "../ui/parts";
import { tell } from "../ui/tell";

interface Props {
  flow: number;
  version: Version;
  opened: boolean;
  /** Waits until the version is saved as it is shown; false if it cannot be yet. */
  settle: () => Promise<boolean>;
  onClose: () => void;
  onStarted: (run: number) => void;
}

export function StartRun({ flow, version, opened, settle, onClose, onStarted }: Props) {
  const [payload, setPayload] = useState("");
  const start = useChange("manual_flow_version", {
    onSuccess: (answer) => {
      onClose();
      onStarted(answer.flow_run_id);
    },
  });
  const submit = async () => {
    if (!(await settle())) {
      onClose();
      return tell.failed(UNDECIDED);
    }
    start.mutate({ path: { flow, version: version.id }, body: payload.trim() ? { payload } : {} });
  };
  return (
    <Modal opened={opened} onClose={onClose} title={`Run version ${version.iteration}`}>
      <Stack>
        <Textarea data-autofocus label="Payload" description="JSON or text; left empty, the run starts without one." autosize minRows={4} maxRows={16} value={payload} onChange={(event) => setPayload(event.currentTarget.value)} styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }} />
        {start.error && <Failure error={start.error} />}
        <Text size="xs" c="dimmed">
          The run is a real one: its connectors call their systems.
        </Text>
        <Group justify="end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button loading={start.isPending} onClick={() => void submit()}>
            Run
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
