// Whether the server can work, and what it is.
import { Alert, Badge, Group, Text } from "@mantine/core";

import type { Overview } from "../api/contract";

export function Health({ found }: { found: Overview }) {
  return (
    <Group gap="xs">
      <Badge color={found.faults.length ? "red" : "teal"}>{found.faults.length ? "Server has faults" : "Server is well"}</Badge>
      <Text size="xs" c="dimmed">
        Flowloom {found.version} on {found.database}
      </Text>
    </Group>
  );
}

export function Faults({ faults }: { faults: string[] }) {
  if (!faults.length) return null;
  return (
    <Alert color="red" title="The server cannot do all of its work" role="alert" mb="md">
      {faults.map((fault) => (
        <Text key={fault} size="sm">
          {fault}
        </Text>
      ))}
    </Alert>
  );
}
