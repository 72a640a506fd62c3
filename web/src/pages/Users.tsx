import { Button, Group, Modal, PasswordInput, Select, Stack, Table, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";

import type { User, UserCreate } from "../api/contract";
import { useChange, useRead } from "../api/hooks";
import { Confirm } from "../ui/Confirm";
import { useMe } from "../ui/me";
import { Failure, Instant, Loading, PageTitle } from "../ui/parts";
import { tell } from "../ui/tell";

const ROLES = [
  { value: "read-only", label: "Reads" },
  { value: "user", label: "User: also starts, stops and retries runs" },
  { value: "manager", label: "Manager: also changes flows and all that belongs to them" },
  { value: "administrator", label: "Administrator: also manages users and uploads" },
];

export function Users() {
  const { me, may } = useMe();
  const [edited, setEdited] = useState<User | "new">();
  const found = useRead("list_users", { query: { per_page: 100 } });
  const remove = useChange("delete_user");
  if (found.error) return <Failure error={found.error} />;
  if (!found.data) return <Loading />;
  return (
    <>
      <PageTitle title="Users">{may("administrator") && <Button onClick={() => setEdited("new")}>Add a user</Button>}</PageTitle>
      <Table.ScrollContainer minWidth={560} className="card">
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Name</Table.Th>
              <Table.Th>E-mail</Table.Th>
              <Table.Th>Role</Table.Th>
              <Table.Th>Since</Table.Th>
              <Table.Th />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {found.data.data.map((user) => (
              <Table.Tr key={user.id}>
                <Table.Td>{user.name}</Table.Td>
                <Table.Td>{user.email}</Table.Td>
                <Table.Td>{user.role}</Table.Td>
                <Table.Td>
                  <Instant at={user.created_at} />
                </Table.Td>
                <Table.Td>
                  {may("administrator") && (
                    <Group gap={4} justify="end">
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
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
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
        <PasswordInput label="Password" description={user ? "Left empty, it stays as it is." : undefined} required={!user} autoComplete="new-password" value={password} error={error?.errors.password?.join(" ")} onChange={(event) => setPassword(event.currentTarget.value)} />
        {error && !Object.keys(error.errors).length && <Failure error={error} />}
        <Group justify="end">
          <Button variant="default" onClick={onDone}>
            Cancel
          </Button>
          <Button type="submit" loading={create.isPending || update.isPending}>
            Save
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
