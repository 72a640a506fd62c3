import { Button, PasswordInput, Text, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useRouter, useSearch } from "@tanstack/react-router";
import { useState } from "react";

import { useChange } from "../api/hooks";
import { Entrance } from "../ui/Entrance";
import { Failure } from "../ui/parts";

export function SignIn() {
  const { next } = useSearch({ from: "/sign-in" });
  const router = useRouter();
  const client = useQueryClient();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const login = useChange("login", {
    onSuccess: () => {
      client.clear();
      // Only an address of these pages: what others put there leads nowhere else.
      router.history.push(next?.startsWith("/") && !next.startsWith("//") ? next : "/");
    },
  });
  return (
    <Entrance title="Sign in to Flowloom" width={360} send={() => login.mutate({ body: { email, password } })}>
      {login.error && <Failure error={login.error} />}
      <TextInput label="E-mail" type="email" size="sm" autoComplete="username" required autoFocus value={email} onChange={(event) => setEmail(event.currentTarget.value)} />
      <PasswordInput label="Password" size="sm" autoComplete="current-password" required value={password} onChange={(event) => setPassword(event.currentTarget.value)} />
      <Button type="submit" size="sm" loading={login.isPending}>
        Sign in
      </Button>
      <Text size="xs" c="dimmed">
        The first account and its password were printed when the server started for the first time.
      </Text>
    </Entrance>
  );
}
