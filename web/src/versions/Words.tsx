// What a version is about: its label and its message, in any state of it.
import { Modal, Stack, Textarea, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";

import type { Version } from "../api/contract";
import { useChange } from "../api/hooks";
import { FormButtons } from "../ui/FormButtons";
import { Failure } from "../ui/parts";

interface Props {
  version: Version;
  opened: boolean;
  onClose: () => void;
}

export function Words({ version, opened, onClose }: Props) {
  return (
    <Modal opened={opened} onClose={onClose} title={`Label and message of version ${version.iteration}`}>
      <Form version={version} onDone={onClose} />
    </Modal>
  );
}

function Form({ version, onDone }: { version: Version; onDone: () => void }) {
  const [label, setLabel] = useState(version.label ?? "");
  const [message, setMessage] = useState(version.message ?? "");
  const update = useChange("update_version", { onSuccess: onDone });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    update.mutate({ path: { flow: version.flow_id, version: version.id }, body: { label, message } });
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label="Label" placeholder="2026.4" maxLength={255} data-autofocus value={label} onChange={(event) => setLabel(event.currentTarget.value)} />
        <Textarea label="Message" description="What is new in it, and why" autosize minRows={3} maxRows={12} value={message} onChange={(event) => setMessage(event.currentTarget.value)} />
        {update.error && <Failure error={update.error} />}
        <FormButtons saving={update.isPending} onCancel={onDone} />
      </Stack>
    </form>
  );
}
