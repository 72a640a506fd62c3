// The variables of a version and its secrets, which are written but never read.
import { ActionIcon, Button, Group, Input, Modal, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type FormEvent, useEffect, useState } from "react";

import type { VariablesAnswer } from "../api/contract";
import { useRead } from "../api/hooks";
import { MapField } from "../form/MapField";
import { FormButtons } from "../ui/FormButtons";
import { Icon } from "../ui/Icon";
import { Failure, Loading } from "../ui/parts";
import { type Editor, VARIABLES } from "./editor";

interface Props {
  version: number;
  editor: Editor;
  readOnly: boolean;
}

export function Variables({ version, editor, readOnly }: Props) {
  const [opened, { open, close }] = useDisclosure();
  const { conflict } = editor;
  // Beside the drawing one is asked which of two changes is to stay.
  useEffect(() => {
    if (conflict) close();
  }, [conflict, close]);
  return (
    <>
      <Button variant="default" onClick={open}>
        Variables
      </Button>
      <Modal opened={opened} onClose={close} title="Variables of the version" size="lg">
        {opened && <Loaded version={version} editor={editor} readOnly={readOnly} onDone={close} />}
      </Modal>
    </>
  );
}

function Loaded({ version, ...rest }: Props & { onDone: () => void }) {
  // The form begins with them, so they are those of now.
  const found = useRead("get_variables", { path: { flow_version: version } }, { staleTime: 0 });
  if (found.error) return <Failure error={found.error} />;
  if (!found.data || !found.isFetchedAfterMount) return <Loading rows={3} />;
  return <Form {...rest} known={found.data} />;
}

function Form({ editor, readOnly, known, onDone }: Omit<Props, "version"> & { known: VariablesAnswer; onDone: () => void }) {
  const [variables, setVariables] = useState(known.data);
  // A secret that is null keeps the value it has.
  const [secrets, setSecrets] = useState<Array<[string, string | null]>>(() => known.secrets.map((name) => [name, null]));
  const [state, setState] = useState<"saving" | "refused">();
  const { forget } = editor;
  useEffect(() => () => forget(VARIABLES), [forget]);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setState("saving");
    const named = secrets.filter(([name]) => name !== "");
    if (await editor.changeVariables(known.data, variables, Object.fromEntries(named))) onDone();
    else setState("refused");
  };
  const edit = (at: number, row: [string, string | null]) => setSecrets(secrets.map((old, index) => (index === at ? row : old)));
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        <MapField label="Variables" description="Steps fill them in as {{name}}." disabled={readOnly} value={variables} onChange={(next) => setVariables(next ?? {})} />
        <Input.Wrapper label="Secrets" description="The same, for connector steps only; nobody reads them again, and undo leaves them as they are." size="xs">
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
        {state === "refused" && typeof editor.state === "object" && <Failure error={editor.state.error} />}
        {!readOnly && (
          <FormButtons saving={state === "saving"} onCancel={onDone} />
        )}
      </Stack>
    </form>
  );
}
