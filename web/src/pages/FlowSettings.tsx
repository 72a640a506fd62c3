// What is set of a flow as a whole: name, labels, priority, limits, retention; its webhooks; and deleting it.
import { Button, Code, CopyButton, Group, NumberInput, Stack, Table, TagsInput, Text, Textarea, TextInput } from "@mantine/core";
import { useNavigate, useParams } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useState } from "react";

import type { Flow, FlowUpdate } from "../api/contract";
import { useChange, useRead } from "../api/hooks";
import { Confirm } from "../ui/Confirm";
import { useMe } from "../ui/me";
import { Failure, Instant, Loading } from "../ui/parts";
import { tell } from "../ui/tell";

export function FlowSettings() {
  const { flow } = useParams({ from: "/shell/flows/$flow" });
  const { may } = useMe();
  const found = useRead("get_flow", { path: { flow } });
  if (found.error) return <Failure error={found.error} />;
  if (!found.data) return <Loading />;
  return (
    <Stack maw={720}>
      <Card title="Flow">
        <Fields key={found.data.data.updated_at} flow={found.data.data} readOnly={!may("manager")} />
      </Card>
      {may("manager") && (
        <>
          <Card title="Webhooks">
            <Webhooks flow={flow} />
          </Card>
          <Card title="Delete">
            <Remove flow={found.data.data} />
          </Card>
        </>
      )}
    </Stack>
  );
}

function Card({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Stack className="card" p="md" gap="sm" component="section">
      <Text fw={600} component="h2" m={0}>
        {title}
      </Text>
      {children}
    </Stack>
  );
}

function Fields({ flow, readOnly }: { flow: Flow; readOnly: boolean }) {
  const [changes, setChanges] = useState<FlowUpdate>({});
  const update = useChange("update_flow", { onSuccess: () => tell.done("Saved.") });
  const set = (change: FlowUpdate) => setChanges((old) => ({ ...old, ...change }));
  const now = { ...flow, ...changes };
  const problem = (field: string) => update.error?.errors[field]?.join(" ");
  const number = (value: string | number) => (value === "" ? null : Number(value));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    update.mutate({ path: { flow: flow.id }, body: changes });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <TextInput label="Name" required disabled={readOnly} value={now.name ?? ""} error={problem("name")} onChange={(event) => set({ name: event.currentTarget.value })} />
        <Textarea label="Description" autosize minRows={2} disabled={readOnly} value={now.description ?? ""} onChange={(event) => set({ description: event.currentTarget.value })} />
        <TagsInput label="Labels" disabled={readOnly} value={now.labels ?? []} error={problem("labels")} onChange={(labels) => set({ labels })} />
        <Group grow align="start">
          <NumberInput label="Priority" description="1 runs first, 5 last" min={1} max={5} disabled={readOnly} value={now.priority ?? 3} error={problem("priority")} onChange={(value) => set({ priority: Number(value) })} />
          <NumberInput label="Runs at a time" description="0 is no limit" min={0} disabled={readOnly} value={now.concurrency ?? 0} error={problem("concurrency")} onChange={(value) => set({ concurrency: Number(value) })} />
        </Group>
        <TextInput label="One at a time per" description="A template, such as [[payload.customer_id]]; empty, runs wait for no key" disabled={readOnly} value={now.concurrency_key ?? ""} error={problem("concurrency_key")} onChange={(event) => set({ concurrency_key: event.currentTarget.value || null })} />
        <Group grow align="start">
          <NumberInput label="Run time limit in seconds" description="Empty: none" min={1} disabled={readOnly} value={now.run_timeout_seconds ?? ""} error={problem("run_timeout_seconds")} onChange={(value) => set({ run_timeout_seconds: number(value) })} />
          <NumberInput label="Keep logs for days" description="Empty: as the server says" min={1} disabled={readOnly} value={now.log_retention_days ?? ""} error={problem("log_retention_days")} onChange={(value) => set({ log_retention_days: number(value) })} />
          <NumberInput label="Keep payloads for days" description="Empty: as the server says" min={1} disabled={readOnly} value={now.payload_retention_days ?? ""} error={problem("payload_retention_days")} onChange={(value) => set({ payload_retention_days: number(value) })} />
        </Group>
        {update.error && <Failure error={update.error} />}
        {!readOnly && (
          <Button type="submit" w="fit-content" loading={update.isPending} disabled={!Object.keys(changes).length}>
            Save
          </Button>
        )}
      </Stack>
    </form>
  );
}

function Webhooks({ flow }: { flow: string }) {
  const [name, setName] = useState("");
  const found = useRead("list_webhooks", { path: { flow }, query: { per_page: 100 } });
  const create = useChange("create_webhook", { onSuccess: () => setName("") });
  const remove = useChange("delete_webhook");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({ path: { flow }, body: { name } });
  };
  return (
    <Stack gap="xs">
      <Text size="sm" c="dimmed">
        Whatever is sent by POST to its address starts the deployed version.
      </Text>
      {found.data && found.data.data.length > 0 && (
        <Table>
          <Table.Tbody>
            {found.data.data.map((webhook) => (
              <Table.Tr key={webhook.id}>
                <Table.Td>
                  {webhook.name}
                  <Text size="xs" c="dimmed" component="div">
                    <Instant at={webhook.created_at} />
                  </Text>
                  <Code style={{ overflowWrap: "anywhere" }}>{webhook.url}</Code>
                </Table.Td>
                <Table.Td className="nowrap" ta="end">
                  <CopyButton value={webhook.url}>{({ copied, copy }) => <Button variant="default" onClick={copy}>{copied ? "Copied" : "Copy"}</Button>}</CopyButton>
                  <Confirm label="Delete" variant="subtle" color="red" title={`Delete the webhook ${webhook.name}?`} onConfirm={() => remove.mutate({ path: { flow, webhook: webhook.id } }, { onError: tell.failed })}>
                    Whoever calls its address gets an error from now on.
                  </Confirm>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      <form onSubmit={submit}>
        <Group align="end" gap="xs">
          <TextInput label="Name of a new webhook" required value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <Button type="submit" loading={create.isPending}>
            Add a webhook
          </Button>
        </Group>
        {create.error && <Failure error={create.error} />}
      </form>
    </Stack>
  );
}

function Remove({ flow }: { flow: Flow }) {
  const navigate = useNavigate();
  const remove = useChange("delete_flow", { onSuccess: () => void navigate({ to: "/flows" }) });
  return (
    <Confirm label="Delete flow" color="red" variant="light" w="fit-content" title={`Delete the flow ${flow.name}?`} onConfirm={() => remove.mutate({ path: { flow: flow.id } }, { onError: tell.failed })}>
      Its versions, schedules and webhooks are gone for good. Undeploy it first if a version is deployed.
    </Confirm>
  );
}
