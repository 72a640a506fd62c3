// The form of a connection.
import { Accordion, NumberInput, Select, Stack, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";

import type { Connection } from "../api/contract";
import { useChange } from "../api/hooks";
import { MapField } from "../form/MapField";
import { useChoices } from "../ui/choices";
import { FormButtons } from "../ui/FormButtons";
import { Failure } from "../ui/parts";
import { Secrets } from "../ui/Secrets";
import { AUTH, type AuthType, bodyOf, type Draft, draftOf, PROTOCOLS, type Protocol, SERVER } from "./draft";
import { Fields } from "./Fields";
import { Limits } from "./Limits";

interface Props {
  connection?: Connection;
  onDone: () => void;
}

interface PartProps {
  draft: Draft;
  connection?: Connection;
  errors: (field: string) => string | undefined;
  onChange: (change: Partial<Draft>) => void;
}

export function ConnectionForm({ connection, onDone }: Props) {
  const [draft, setDraft] = useState(() => draftOf(connection));
  const set = (change: Partial<Draft>) => setDraft((old) => ({ ...old, ...change }));
  const create = useChange("create_connection", { onSuccess: onDone });
  const update = useChange("update_connection", { onSuccess: onDone });
  const error = create.error ?? update.error;
  const errors = (field: string) => error?.errors[field]?.join(" ");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const body = bodyOf(draft, connection);
    if (connection) update.mutate({ path: { connection: connection.id }, body });
    else create.mutate({ body });
  };
  const part = { draft, connection, errors, onChange: set };
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label="Name" placeholder="The shop" required data-autofocus value={draft.name} error={errors("name")} onChange={(event) => set({ name: event.currentTarget.value })} />
        <Select label="Protocol" allowDeselect={false} disabled={connection !== undefined} data={PROTOCOLS} value={draft.protocol} onChange={(protocol) => set({ protocol: protocol as Protocol })} />
        {draft.protocol === "http" ? <Http {...part} /> : <Server {...part} />}
        <More {...part} />
        {error && <Failure error={error} />}
        <FormButtons saving={create.isPending || update.isPending} onCancel={onDone} />
      </Stack>
    </form>
  );
}

function Http({ draft, connection, errors, onChange }: PartProps) {
  const { select, isNone } = useChoices("list_connectors", draft.connectorId);
  const isStored = connection?.auth.has_secret === true && connection.auth.type === draft.authType;
  return (
    <>
      {!isNone && <Select {...select} label="Connector" description="Gives what is left out here" placeholder="None" clearable nothingFoundMessage="No connector is named so" error={errors("connector_id")} onChange={(id) => onChange({ connectorId: id ? Number(id) : undefined })} />}
      <TextInput label="Base URL" placeholder="https://shop.example/api" required={draft.connectorId === undefined} value={draft.baseUrl} error={errors("base_url")} onChange={(event) => onChange({ baseUrl: event.currentTarget.value })} />
      <Select label="Signs in with" allowDeselect={false} data={Object.entries(AUTH).map(([value, { label }]) => ({ value, label: value === "none" && draft.connectorId !== undefined ? "What the connector says" : label }))} value={draft.authType} error={errors("auth.type") ?? errors("auth")} onChange={(type) => onChange({ authType: type as AuthType })} />
      <Fields fields={AUTH[draft.authType].fields} values={draft.auth} isSet={isStored} errors={(field) => errors(`auth.${field}`)} onChange={(field, value) => onChange({ auth: { ...draft.auth, [field]: value } })} />
    </>
  );
}

function Server({ draft, connection, errors, onChange }: PartProps) {
  if (draft.protocol === "http") return null;
  return <Fields fields={SERVER[draft.protocol]} values={draft.server} isSet={connection?.auth.has_secret === true} errors={(field) => errors(`server.${field}`)} onChange={(field, value) => onChange({ server: { ...draft.server, [field]: value } })} />;
}

function More({ draft, errors, onChange }: PartProps) {
  const isHttp = draft.protocol === "http";
  const secretError = draft.secrets.map(({ name }) => errors(`secrets.${name}`)).find(Boolean) ?? errors("secrets");
  return (
    <Accordion variant="separated" chevronPosition="left">
      <Accordion.Item value="variables">
        <Accordion.Control>Variables{isHttp && " and headers"}</Accordion.Control>
        <Accordion.Panel>
          <Stack gap="sm">
            <MapField label="Variables" description="Filled in where a step says {{name}}" error={errors("variables")} value={draft.variables} onChange={(variables) => onChange({ variables: variables ?? {} })} />
            {isHttp && <Secrets description="Filled in where a step says {{name}}" secrets={draft.secrets} error={secretError} onChange={(secrets) => onChange({ secrets })} />}
            {isHttp && <MapField label="Headers" description="Sent with every request, and shown again" error={errors("headers")} value={draft.headers} onChange={(headers) => onChange({ headers: headers ?? {} })} />}
          </Stack>
        </Accordion.Panel>
      </Accordion.Item>
      <Accordion.Item value="limits">
        <Accordion.Control>Limits</Accordion.Control>
        <Accordion.Panel>
          <Stack gap="sm">
            <NumberInput label="Give up after seconds" min={1} max={1_800} allowDecimal={false} placeholder="60" value={draft.timeoutSeconds ?? ""} error={errors("timeout_seconds")} onChange={(seconds) => onChange({ timeoutSeconds: seconds === "" ? undefined : Number(seconds) })} />
            {isHttp && <Limits draft={draft} errors={errors} onChange={onChange} />}
          </Stack>
        </Accordion.Panel>
      </Accordion.Item>
    </Accordion>
  );
}
