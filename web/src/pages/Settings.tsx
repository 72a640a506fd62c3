// What holds for the whole company, and what it runs on.
import { Button, Group, NumberInput, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";

import type { Company } from "../api/contract";
import { useChange, useRead } from "../api/hooks";
import { Processes } from "../overview/Processes";
import { useMe } from "../ui/me";
import { Failure, Instant, Loading, PageTitle } from "../ui/parts";
import { tell } from "../ui/tell";

export function Settings() {
  const found = useRead("get_company", {});
  if (found.error) return <Failure error={found.error} again={() => void found.refetch()} />;
  return (
    <>
      <PageTitle title="Settings" />
      {found.data ? <Form key={found.data.data.updated_at} company={found.data.data} /> : <Loading rows={3} />}
      <Processes />
    </>
  );
}

function Form({ company }: { company: Company }) {
  const { may } = useMe();
  const [name, setName] = useState(company.name);
  const [concurrency, setConcurrency] = useState(company.concurrency);
  const update = useChange("update_company", { onSuccess: () => tell.done("Saved.") });
  const isFixed = !may("administrator");
  const isSame = name === company.name && concurrency === company.concurrency;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    update.mutate({ body: { name, concurrency } });
  };
  return (
    <form onSubmit={submit}>
      <Stack className="card" p="md" maw={520} mb="lg">
        <TextInput label="Company" required readOnly={isFixed} value={name} error={update.error?.errors.name?.join(" ")} onChange={(event) => setName(event.currentTarget.value)} />
        <NumberInput label="Runs at a time" description="Of all flows together; 0 is what the server's settings say. Each flow can have a limit of its own." min={0} max={10_000} allowDecimal={false} readOnly={isFixed} value={concurrency} error={update.error?.errors.concurrency?.join(" ")} onChange={(next) => setConcurrency(Number(next))} />
        {update.error && !Object.keys(update.error.errors).length && <Failure error={update.error} />}
        <Group justify="space-between">
          <Text size="xs" c="dimmed">
            Changed <Instant at={company.updated_at} />
          </Text>
          {isFixed ? (
            <Text size="xs" c="dimmed">
              An administrator can change these.
            </Text>
          ) : (
            <Button type="submit" disabled={isSame} loading={update.isPending}>
              Save
            </Button>
          )}
        </Group>
      </Stack>
    </form>
  );
}
