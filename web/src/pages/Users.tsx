import { Button, Group, Modal, PasswordInput, Select, Stack, TextInput } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";

import type { User, UserCreate } from "../api/contract";
import { useChange, usePage } from "../api/hooks";
import { FindByName, NoneNamed } from "../ui/ByName";
import { FormButtons } from "../ui/FormButtons";
import { Confirm } from "../ui/Confirm";
import { useMe } from "../ui/me";
import { Failure, Instant, PageTitle } from "../ui/parts";
import { Records } from "../ui/Records";
import { tell } from "../ui/tell";

const ROLES = [
  { value: "read-only", label: "Reader: sees everything, changes nothing" },
  { value: "user", label: "User: also starts, stops and retries runs" },
  { value: "manager", label: "Manager: also changes flows and all that belongs to them" },
  { value: "administrator", label: "Administrator: also manages users and uploads" },
];

const shortRole = (role: string) => ROLES.find(({ value }) => value === role)?.label.split(":")[0] ?? role;

export function Users() {
  const { page, search } = useSearch({ from: "/shell/users" });
  const navigate = useNavigate({ from: "/users" });
  const { me, may } = useMe();
  const [edited, setEdited] = useState<User | "new">();
  const found = usePage("list_users", { query: { per_page: 25, page, "filter[search]": search, sort: "name" } });
  const remove = useChange("delete_user");
  return (
    <>
      <PageTitle title="Users">
        <FindByName label="Find by name or address" search={search} onChange={(next) => void navigate({ search: next })} />
        {may("administrator") && <Button onClick={() => setEdited("new")}>Add a user</Button>}
      </PageTitle>
      <Records
        found={found}
        onPage={(next) => void navigate({ search: { search, page: next } })}
        empty={search ? <NoneNamed search={search} /> : null}
        columns={[
          { title: "Name", isLong: true, cell: ({ name }) => name },
          { title: "E-mail", isLong: true, cell: ({ email }) => email },
          { title: "Role", cell: ({ role }) => shortRole(role) },
          { title: "Since", cell: ({ created_at }) => <Instant at={created_at} /> },
        ]}
        actions={(user) => (
          <Group gap={4} justify="end" wrap="nowrap">
            <Button variant="default" onClick={() => setEdited(user)}>
              Edit
            </Button>
            {user.id !== me?.id && (
              <Confirm label="Delete" variant="subtle" color="red" title={`Delete ${user.email}?`} onConfirm={() => remove.mutate({ path: { user: user.id } }, { onError: tell.failed })}>
                They are signed out at once. What they made stays.
              </Confirm>
            )}
          </Group>
        )}
      />
      <Modal opened={edited !== undefined} onClose={() => setEdited(undefined)} title={edited === "new" ? "Add a user" : "Edit the user"}>
        {edited && <Editor user={edited === "new" ? undefined : edited} onDone={() => setEdited(undefined)} />}
      </Modal>
    </>
  );
}

function Editor({ user, onDone }: { user?: User; onDone: () => void }) {
  const [email, setEmail] = useState(user?.email ?? "");
  const [name, setName] = useState(user?.name ?? "");
  const [role, setRole] = useState(user?.role ?? "user");
  const [password, setPassword] = useState("");
  const create = useChange("create_user", { onSuccess: onDone });
  const update = useChange("update_user", { onSuccess: onDone });
  const error = create.error ?? update.error;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const fields = { email, name, role: role as UserCreate["role"] };
    if (user) update.mutate({ path: { user: user.id }, body: { ...fields, ...(password ? { password } : {}) } });
    else create.mutate({ body: { ...fields, password } });
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label="Name" required data-autofocus value={name} error={error?.errors.name?.join(" ")} onChange={(event) => setName(event.currentTarget.value)} />
        <TextInput label="E-mail" type="email" required value={email} error={error?.errors.email?.join(" ")} onChange={(event) => setEmail(event.currentTarget.value)} />
        <Select label="Role" allowDeselect={false} data={ROLES} value={role} onChange={(next) => next && setRole(next)} />
        <PasswordInput label="Password" description={user ? "At least 10 characters; left empty, it stays as it is" : "At least 10 characters; tell it to them yourself, no mail is sent"} minLength={10} maxLength={200} required={!user} autoComplete="new-password" value={password} error={error?.errors.password?.join(" ")} onChange={(event) => setPassword(event.currentTarget.value)} />
        {error && !Object.keys(error.errors).length && <Failure error={error} />}
        <FormButtons saving={create.isPending || update.isPending} onCancel={onDone} />
      </Stack>
    </form>
  );
}
