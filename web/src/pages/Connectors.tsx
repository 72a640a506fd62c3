// Systems that are described once: their endpoints, authentication and variables, mostly imported from their own documents.
import { Alert, Badge, Button, FileButton, Group, List, Modal, Stack, Text } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";

import type { ConnectorImported } from "../api/contract";
import { useChange, usePage } from "../api/hooks";
import { Endpoints } from "../connections/Endpoints";
import { FindByName, NoneNamed } from "../ui/ByName";
import { Confirm } from "../ui/Confirm";
import { count } from "../ui/format";
import { useMe } from "../ui/me";
import { Empty, Failure, Instant, PageTitle } from "../ui/parts";
import { Records } from "../ui/Records";
import { tell } from "../ui/tell";

export function Connectors() {
  const { may } = useMe();
  const { page, search } = useSearch({ from: "/shell/connectors" });
  const navigate = useNavigate({ from: "/connectors" });
  const found = usePage("list_connectors", { query: { per_page: 25, page, "filter[search]": search, sort: "name" } });
  const remove = useChange("delete_connector");
  return (
    <>
      <PageTitle title="Connectors">
        <FindByName search={search} onChange={(next) => void navigate({ search: next })} />
        {may("manager") && <Import />}
      </PageTitle>
      <Records
        found={found}
        onPage={(next) => void navigate({ search: { search, page: next } })}
        empty={search ? <NoneNamed search={search} /> : <Empty title="No system is described yet">Import the OpenAPI document or the Postman collection of a system: its endpoints can then be chosen in connector steps, and connections hold the credentials only.</Empty>}
        columns={[
          { title: "Name", isLong: true, cell: ({ id, name }) => <Link to="/connectors/$connector" params={{ connector: String(id) }} className="row-link">{name}</Link> },
          { title: "Description", isLong: true, cell: ({ description }) => description && <Text size="sm" lineClamp={2} title={description}>{description}</Text> },
          { title: "Endpoints", cell: ({ endpoints_count }) => count(endpoints_count) },
          { title: "Changed", cell: ({ updated_at }) => <Instant at={updated_at} /> },
        ]}
        actions={(connector) =>
          may("manager") && (
            <Confirm label="Delete" variant="subtle" color="red" title={`Delete the connector ${connector.name}?`} onConfirm={() => remove.mutate({ path: { connector: connector.id } }, { onError: tell.failed })}>
              Steps keep what they took from it. While a connection uses it, it cannot be deleted.
            </Confirm>
          )
        }
      />
    </>
  );
}

function Import() {
  const [text, setText] = useState<string>();
  const look = useChange("import_connector");
  const keep = useChange("import_connector", {
    onSuccess: ({ data }) => {
      setText(undefined);
      tell.done(`${data.name} is described, with ${data.endpoints_count} endpoints.`);
    },
  });
  const choose = async (file: File | null) => {
    if (!file) return;
    const document = await file.text();
    setText(document);
    look.mutate({ body: { document, dry_run: true } });
  };
  const close = () => setText(undefined);
  return (
    <>
      <FileButton accept=".json,.yaml,.yml" onChange={(file) => void choose(file)}>
        {(props) => <Button {...props}>Import a document</Button>}
      </FileButton>
      <Modal opened={text !== undefined} onClose={close} title="Import a connector" size="lg">
        <Stack>
          {(look.error ?? keep.error) && <Failure error={(look.error ?? keep.error) as NonNullable<typeof look.error>} />}
          {look.data && <Found found={look.data.data} />}
          <Group justify="end">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button disabled={!look.data} loading={look.isPending || keep.isPending} onClick={() => keep.mutate({ body: { document: text ?? "" } })}>
              Import
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}

function Found({ found }: { found: ConnectorImported }) {
  return (
    <Stack gap="xs">
      <Group gap="xs">
        <Text fw={600}>{found.name}</Text>
        <Badge color="gray">{found.format}</Badge>
      </Group>
      {found.warnings.length > 0 && (
        <Alert color="orange" title="Not all of it could be taken over">
          <List size="xs">
            {found.warnings.map((warning) => (
              <List.Item key={warning}>{warning}</List.Item>
            ))}
          </List>
        </Alert>
      )}
      <Endpoints endpoints={found.document.endpoints ?? []} />
    </Stack>
  );
}
