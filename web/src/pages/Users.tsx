import { Button, Group, Modal } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";

import type { User } from "../api/contract";
import { useChange, usePage } from "../api/hooks";
import { FindByName, NoneNamed } from "../ui/ByName";
import { Confirm } from "../ui/Confirm";
import { useMe } from "../ui/me";
import { Instant, PageTitle } from "../ui/parts";
import { Records } from "../ui/Records";
import { tell } from "../ui/tell";
import { Invitation } from "../users/Invitation";
import { shortRole } from "../users/roles";
import { UserForm } from "../users/UserForm";

export function Users() {
  const { page, search } = useSearch({ from: "/shell/users" });
  const navigate = useNavigate({ from: "/users" });
  const { me, may } = useMe();
  const [edited, setEdited] = useState<User | "new">();
  const [invited, setInvited] = useState<User>();
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
            <Button variant="default" onClick={() => setInvited(user)}>
              Sign-in link
            </Button>
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
        {edited && <UserForm user={edited === "new" ? undefined : edited} onDone={() => setEdited(undefined)} onMade={setInvited} />}
      </Modal>
      <Modal opened={invited !== undefined} onClose={() => setInvited(undefined)} title={`A sign-in link for ${invited?.name ?? ""}`}>
        {invited && <Invitation user={invited} />}
      </Modal>
    </>
  );
}
