import { Badge, Button, Group, Modal, Stack, Table, Text, Textarea, TextInput } from "@mantine/core";
import { useDebouncedCallback, useDisclosure } from "@mantine/hooks";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";

import type { Flow } from "../api/contract";
import { useChange, useRead } from "../api/hooks";
import { FormButtons } from "../ui/FormButtons";
import { Icon } from "../ui/Icon";
import { useMe } from "../ui/me";
import { Pager } from "../ui/Pager";
import { Empty, Failure, Instant, Loading, PageTitle } from "../ui/parts";

export function Flows() {
  const search = useSearch({ from: "/shell/flows" });
  const navigate = useNavigate({ from: "/flows" });
  const { may } = useMe();
  const [creating, { open, close }] = useDisclosure();
  const found = useRead("list_flows", {
    query: { page: search.page, per_page: 25, sort: "-id", include: "deployedVersion,latestVersion", "filter[name]": search.name },
  });
  const find = useDebouncedCallback((name: string) => void navigate({ search: { name: name || undefined, page: undefined } }), 300);
  return (
    <>
      <PageTitle title="Flows">
        <TextInput placeholder="Find by name" aria-label="Find by name" leftSection={<Icon name="search" size={14} />} defaultValue={search.name} onChange={(event) => find(event.currentTarget.value)} />
        {may("manager") && (
          <Button leftSection={<Icon name="plus" size={14} />} onClick={open}>
            New flow
          </Button>
        )}
      </PageTitle>
      {found.error && <Failure error={found.error} again={() => void found.refetch()} />}
      {found.isLoading && <Loading />}
      {found.data?.data.length === 0 &&
        (search.name ? (
          <Empty title={`No flow is called "${search.name}"`}>Names are matched as they are written in part. Clear the field to see all flows.</Empty>
        ) : (
          <Empty title="There is no flow yet">A flow takes records from one system, works on them, and hands them to another. Make one, draw its steps, run it, and deploy it when it does what you want.</Empty>
        ))}
      {found.data && found.data.data.length > 0 && (
        <>
          <Table.ScrollContainer minWidth={640} className="card">
            <Table highlightOnHover>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Name</Table.Th>
                  <Table.Th>State</Table.Th>
                  <Table.Th>Deployed</Table.Th>
                  <Table.Th>Draft</Table.Th>
                  <Table.Th>Changed</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {found.data.data.map((flow) => (
                  <FlowRow key={flow.id} flow={flow} />
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
          <Pager meta={found.data.meta} onPage={(page) => void navigate({ search: (old) => ({ ...old, page }) })} />
        </>
      )}
      <NewFlow opened={creating} onClose={close} />
    </>
  );
}

function FlowRow({ flow }: { flow: Flow }) {
  const { deployed_version: deployed, latest_version: latest } = flow;
  return (
    <Table.Tr>
      <Table.Td>
        <Group gap={6}>
          <Link to="/flows/$flow/canvas" params={{ flow: String(flow.id) }} className="row-link">
            {flow.name}
          </Link>
          {flow.labels.map((label) => (
            <Badge key={label} size="sm" color="gray">
              {label}
            </Badge>
          ))}
        </Group>
        {flow.description && (
          <Text size="xs" c="dimmed" lineClamp={1}>
            {flow.description}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <Badge color={flow.is_enabled ? "teal" : "gray"}>{flow.is_enabled ? "Enabled" : "Disabled"}</Badge>
      </Table.Td>
      <Table.Td>{deployed ? `Version ${deployed.iteration}` : <Text span c="dimmed" inherit>none</Text>}</Table.Td>
      <Table.Td>{latest?.is_editable ? `Version ${latest.iteration}` : <Text span c="dimmed" inherit>none</Text>}</Table.Td>
      <Table.Td>
        <Instant at={latest?.saved_at ?? flow.updated_at} />
      </Table.Td>
    </Table.Tr>
  );
}

function NewFlow({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const create = useChange("create_flow", {
    onSuccess: ({ data }) => {
      onClose();
      void navigate({ to: "/flows/$flow/canvas", params: { flow: String(data.id) } });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({ body: { name, description, is_enabled: true } });
  };
  return (
    <Modal opened={opened} onClose={onClose} title="New flow">
      <form onSubmit={submit}>
        <Stack>
          <TextInput label="Name" placeholder="Orders to the warehouse" required data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <Textarea label="Description" autosize minRows={2} value={description} onChange={(event) => setDescription(event.currentTarget.value)} />
          {create.error && <Failure error={create.error} />}
          <FormButtons save="Create and draw" saving={create.isPending} onCancel={onClose} />
        </Stack>
      </form>
    </Modal>
  );
}
