// The variables of a version and its secrets, which are written but never read.
import { ActionIcon, Button, Group, Input, Modal, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type FormEvent, useState } from "react";

import type { VariablesAnswer } from "../api/contract";
import { useChange, useRead } from "../api/hooks";
import { MapField } from "../form/MapField";
import { FormButtons } from "../ui/FormButtons";
import { Icon } from "../ui/Icon";
import { Failure, Loading } from "../ui/parts";

interface Props {
  version: number;
  readOnly: boolean;
}

export function Variables({ version, readOnly }: Props) {
  const [opened, { open, close }] = useDisclosure();
  return (
    <>
      <Button variant="default" onClick={open}>
        Variables
      </Button>
      <Modal opened={opened} onClose={close} title="Variables of the version" size="lg">
        {opened && <Editor version={version} readOnly={readOnly} onDone={close} />}
      </Modal>
    </>
  );
}

function Editor({ version, readOnly, onDone }: Props & { onDone: () => void }) {
  const found = useRead("get_variables", { path: { flow_version: version } });
  if (found.error) return <Failure error={found.error} />;
  if (!found.data) return <Loading rows={3} />;
  return <Form version={version} readOnly={readOnly} known={found.data} onDone={onDone} />;
}

function Form({ version, readOnly, known, onDone }: Props & { known: VariablesAnswer; onDone: () => void }) {
  const [variables, setVariables] = useState(known.data);
  // A secret that is null keeps the value it has.
  const [secrets, setSecrets] = useState<Array<[string, string | null]>>(() => known.secrets.map((name) => [name, null]));
  const update = useChange("update_variables", { onSuccess: onDone });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const named = secrets.filter(([name]) => name !== "");
    update.mutate({ path: { flow_version: version }, body: { variables, secrets: Object.fromEntries(named) } });
  };
  const edit = (at: number, row: [string, string | null]) => setSecrets(secrets.map((old, index) => (index === at ? row : old)));
  return (
    <form onSubmit={submit}>
      <Stack>
        <MapField label="Variables" description="Steps fill them in as {{name}}." disabled={readOnly} value={variables} onChange={(next) => setVariables(next ?? {})} />
        <Input.Wrapper label="Secrets" description="The same, for connector steps only; nobody reads them again." size="xs">
          <Stack gap={4} mt={4}>
            {secrets.map(([name, value], index) => (
              <Group key={index} gap={4} wrap="nowrap">
                <TextInput aria-label={`Secret ${index + 1}: name`} placeholder="name" value={name} disabled={readOnly} onChange={(event) => edit(index, [event.currentTarget.value, value])} />
                <PasswordInput aria-label={`Secret ${index + 1}: value`} flex={1} autoComplete="off" placeholder={value === null ? "kept as it is" : "value"} value={value ?? ""} disabled={readOnly} onChange={(event) => edit(index, [name, event.currentTarget.value || null])} />
                {!readOnly && (
                  <ActionIcon variant="subtle" color="gray" aria-label={`Remove secret ${name}`} onClick={() => setSecrets(secrets.filter((_, at) => at !== index))}>
                    <Icon name="close" />
                  </ActionIcon>
                )}
              </Group>
            ))}
            {!readOnly && (
              <Button variant="subtle" size="compact-xs" w="fit-content" onClick={() => setSecrets([...secrets, ["", ""]])}>
                Add a secret
              </Button>
            )}
          </Stack>
        </Input.Wrapper>
        {update.error && <Failure error={update.error} />}
        {!readOnly && (
          <FormButtons saving={update.isPending} onCancel={onDone} />
        )}
      </Stack>
    </form>
  );
}
