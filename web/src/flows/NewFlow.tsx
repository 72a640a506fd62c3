// The form that makes a flow.
import { Modal, Stack, TagsInput, Textarea, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";

import { useChange } from "../api/hooks";
import { FormButtons } from "../ui/FormButtons";
import { Failure } from "../ui/parts";

export function NewFlow({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [labels, setLabels] = useState<string[]>([]);
  const create = useChange("create_flow", {
    onSuccess: ({ data }) => void navigate({ to: "/flows/$flow/canvas", params: { flow: String(data.id) } }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({ body: { name, description, labels, is_enabled: true } });
  };
  return (
    <Modal opened={opened} onClose={onClose} title="New flow">
      <form onSubmit={submit}>
        <Stack>
          <TextInput label="Name" placeholder="Orders to the warehouse" required data-autofocus value={name} error={create.error?.errors.name?.join(" ")} onChange={(event) => setName(event.currentTarget.value)} />
          <Textarea label="Description" autosize minRows={2} value={description} onChange={(event) => setDescription(event.currentTarget.value)} />
          <TagsInput label="Labels" placeholder={labels.length ? "" : "Type one and press Enter"} value={labels} onChange={setLabels} />
          {create.error && <Failure error={create.error} />}
          <FormButtons save="Create and draw" saving={create.isPending} onCancel={onClose} />
        </Stack>
      </form>
    </Modal>
  );
}
