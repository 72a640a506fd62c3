// The form of a user.
import { PasswordInput, Select, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";

import type { User, UserCreate } from "../api/contract";
import { useChange } from "../api/hooks";
import { FormButtons } from "../ui/FormButtons";
import { Failure } from "../ui/parts";
import { ROLES } from "./roles";

interface Props {
  user?: User;
  onDone: () => void;
  /** A new user has no password yet. */
  onMade: (user: User) => void;
}

export function UserForm({ user, onDone, onMade }: Props) {
  const [email, setEmail] = useState(user?.email ?? "");
  const [name, setName] = useState(user?.name ?? "");
  const [role, setRole] = useState(user?.role ?? "user");
  const [password, setPassword] = useState("");
  const create = useChange("create_user", {
    onSuccess: ({ data }) => {
      onDone();
      onMade(data);
    },
  });
  const update = useChange("update_user", { onSuccess: onDone });
  const error = create.error ?? update.error;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const fields = { email, name, role: role as UserCreate["role"] };
    if (user) update.mutate({ path: { user: user.id }, body: { ...fields, ...(password ? { password } : {}) } });
    else create.mutate({ body: fields });
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label="Name" required data-autofocus value={name} error={error?.errors.name?.join(" ")} onChange={(event) => setName(event.currentTarget.value)} />
        <TextInput label="E-mail" type="email" required value={email} error={error?.errors.email?.join(" ")} onChange={(event) => setEmail(event.currentTarget.value)} />
        <Select label="Role" allowDeselect={false} data={ROLES} value={role} onChange={(next) => next && setRole(next)} />
        {user ? (
          <PasswordInput label="Password" description="At least 10 characters; left empty, it stays as it is" minLength={10} maxLength={200} autoComplete="new-password" value={password} error={error?.errors.password?.join(" ")} onChange={(event) => setPassword(event.currentTarget.value)} />
        ) : (
          <Text size="xs" c="dimmed">
            You get a link to hand over, with which they choose their password.
          </Text>
        )}
        {error && !Object.keys(error.errors).length && <Failure error={error} />}
        <FormButtons saving={create.isPending || update.isPending} onCancel={onDone} />
      </Stack>
    </form>
  );
}
