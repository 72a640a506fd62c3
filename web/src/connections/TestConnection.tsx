// Testing a connection: one request or one login, and what came of it.
import { Badge, Button, Code, Group, Modal, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";

import type { Connection, ConnectionTested } from "../api/contract";
import { useChange } from "../api/hooks";
import { duration } from "../ui/format";
import { Failure, Loading } from "../ui/parts";

const RESULTS = {
  works: { label: "It works", color: "teal" },
  reached: { label: "It is there", color: "yellow" },
  failed: { label: "It does not work", color: "red" },
} as const;

export function TestConnection({ connection }: { connection: Connection }) {
  const [opened, { open, close }] = useDisclosure();
  const test = useChange("test_connection");
  const ask = () => test.mutate({ path: { connection: connection.id } });
  const begin = () => {
    open();
    ask();
  };
  return (
    <>
      <Button variant="default" onClick={begin}>
        Test
      </Button>
      <Modal opened={opened} onClose={close} title={`Test of ${connection.name}`}>
        <Stack>
          <div aria-live="polite">
            {test.isPending && <Loading rows={2} />}
            {test.error && <Failure error={test.error} />}
            {test.data && !test.isPending && <Found found={test.data.data} />}
          </div>
          <Group justify="end">
            <Button variant="default" onClick={close}>
              Close
            </Button>
            <Button loading={test.isPending} onClick={ask}>
              Test again
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}

function Found({ found: { result, message, duration_ms, answer } }: { found: ConnectionTested }) {
  const { label, color } = RESULTS[result];
  return (
    <Stack gap="xs">
      <Group gap="xs">
        <Badge color={color}>{label}</Badge>
        <Text size="xs" c="dimmed">
          after {duration(duration_ms)}
        </Text>
      </Group>
      <Text size="sm">{message}</Text>
      {answer && <Code block style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>{answer}</Code>}
    </Stack>
  );
}
