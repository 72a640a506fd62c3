// Where the link of an invitation leads: a password is chosen, and one is signed in.
import { Button, PasswordInput, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useLocation, useRouter } from "@tanstack/react-router";
import { useState } from "react";

import { useChange } from "../api/hooks";
import { Entrance } from "../ui/Entrance";
import { Failure } from "../ui/parts";

export function Welcome() {
  // Behind the sign # it is sent to no server with the address.
  const token = useLocation().hash;
  const router = useRouter();
  const client = useQueryClient();
  const [password, setPassword] = useState("");
  const accept = useChange("accept_invitation", {
    onSuccess: () => {
      client.clear();
      router.history.replace("/");
    },
  });
  return (
    <Entrance title="Welcome to Flowloom" width={400} send={() => accept.mutate({ body: { token, password } })}>
      <Text size="sm" c="dimmed">
        Choose a password. From then on you sign in with your e-mail address and with it; this link ends.
      </Text>
      {accept.error && !accept.error.errors.password && <Failure error={accept.error} />}
      <PasswordInput label="New password" description="At least 10 characters" size="sm" autoComplete="new-password" minLength={10} maxLength={200} required autoFocus value={password} error={accept.error?.errors.password?.join(" ")} onChange={(event) => setPassword(event.currentTarget.value)} />
      <Button type="submit" size="sm" loading={accept.isPending}>
        Sign in
      </Button>
    </Entrance>
  );
}
