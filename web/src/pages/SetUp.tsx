// What the first administrator is asked once: who he is, and whose Flowloom this is.
import { Button, PasswordInput, Text, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Navigate, useRouter } from "@tanstack/react-router";
import { useState } from "react";

import type { SetUp as Wanted } from "../api/contract";
import { useChange } from "../api/hooks";
import { Entrance } from "../ui/Entrance";
import { useMe } from "../ui/me";
import { Failure } from "../ui/parts";

export function SetUp() {
  const { me } = useMe();
  if (!me) return null;
  if (!me.must_set_up) return <Navigate to="/" replace />;
  return <Questions />;
}

function Questions() {
  const router = useRouter();
  const client = useQueryClient();
  const [wanted, setWanted] = useState<Wanted>({ company_name: "", name: "", email: "", password: "" });
  const save = useChange("set_up", {
    onSuccess: () => {
      client.clear();
      router.history.push("/");
    },
  });
  const field = (name: keyof Wanted) => ({
    size: "sm" as const,
    required: true,
    value: wanted[name],
    error: save.error?.errors[name]?.join(" "),
    onChange: (event: { currentTarget: { value: string } }) => {
      const { value } = event.currentTarget;
      setWanted((old) => ({ ...old, [name]: value }));
    },
  });
  return (
    <Entrance title="Set up Flowloom" width={420} send={() => save.mutate({ body: wanted })}>
      <Text size="sm" c="dimmed">
        From now on you sign in with this address and password; the generated password ends.
      </Text>
      <TextInput label="Company" autoComplete="organization" maxLength={200} autoFocus {...field("company_name")} />
      <TextInput label="Your name" autoComplete="name" maxLength={200} {...field("name")} />
      <TextInput label="E-mail" type="email" autoComplete="username" {...field("email")} />
      <PasswordInput label="New password" description="At least 10 characters" autoComplete="new-password" minLength={10} maxLength={200} {...field("password")} />
      {save.error && !Object.keys(save.error.errors).length && <Failure error={save.error} />}
      <Button type="submit" size="sm" loading={save.isPending}>
        Set up
      </Button>
    </Entrance>
  );
}
