// What stands where a page fails as it is drawn or fetched, in the place of the router's own words.
import { Button, Stack, Text } from "@mantine/core";
import type { ErrorComponentProps } from "@tanstack/react-router";

export function Broken({ error }: ErrorComponentProps) {
  return (
    <Stack align="center" gap="xs" py={48} px="md" role="alert">
      <Text fw={600}>This page failed</Text>
      <Text size="sm" c="dimmed" maw={520} ta="center">
        {error instanceof Error ? error.message : String(error)}
      </Text>
      <Button variant="default" onClick={() => location.reload()}>
        Load it again
      </Button>
    </Stack>
  );
}
