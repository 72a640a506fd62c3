// The link with which a user chooses a password: made when it is asked for, and shown once.
import { Button, Code, CopyButton, Group, Stack, Text } from "@mantine/core";

import type { User } from "../api/contract";
import { useChange } from "../api/hooks";
import { local } from "../ui/format";
import { Failure } from "../ui/parts";

export function Invitation({ user }: { user: User }) {
  const invite = useChange("invite_user");
  const made = invite.data?.data;
  if (!made) {
    return (
      <Stack>
        <Text size="sm">With a link {user.name} chooses a password, once. Until then nothing changes.</Text>
        {invite.error && <Failure error={invite.error} />}
        <Group justify="end">
          <Button loading={invite.isPending} onClick={() => invite.mutate({ path: { user: user.id } })} data-autofocus>
            Make a link
          </Button>
        </Group>
      </Stack>
    );
  }
  const link = `${location.origin}/welcome#${made.token}`;
  return (
    <Stack>
      <Text size="sm">
        Hand it to {user.email} yourself, no mail is sent. It works once, until {local(made.expires_at)}, and is shown only now.
      </Text>
      <Code block style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
        {link}
      </Code>
      <Group justify="end">
        <CopyButton value={link}>{({ copied, copy }) => <Button onClick={copy}>{copied ? "Copied" : "Copy the link"}</Button>}</CopyButton>
      </Group>
    </Stack>
  );
}
