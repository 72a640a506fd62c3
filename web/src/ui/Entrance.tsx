// The card of a page that is there before one is signed in, or set up: a title, and questions that are sent together.
import { Center, Group, Paper, Stack, Title } from "@mantine/core";
import type { FormEvent, ReactNode } from "react";

interface Props {
  title: string;
  width: number;
  send: () => void;
  children: ReactNode;
}

export function Entrance({ title, width, send, children }: Props) {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send();
  };
  return (
    <Center mih="100vh" p="md">
      <Paper className="card" p="xl" w={width} component="main">
        <form onSubmit={submit}>
          <Stack>
            <Group gap="xs" wrap="nowrap">
              <img src="/icon.svg" alt="" width={28} height={28} />
              <Title order={1}>{title}</Title>
            </Group>
            {children}
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}
