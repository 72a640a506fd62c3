// The small form of what has a name and a description only.
import { Modal, Stack, Textarea, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";

import type { ApiError } from "../api/client";
import { FormButtons } from "./FormButtons";
import { Failure } from "./parts";

export interface Named {
  name: string;
  description: string;
}

interface Props {
  title: string;
  opened: boolean;
  saving: boolean;
  error: ApiError | null;
  onSave: (fields: Named) => void;
  onClose: () => void;
}

export function NamedForm({ title, opened, saving, error, onSave, onClose }: Props) {
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSave({ name, description });
  };
  return (
    <Modal opened={opened} onClose={onClose} title={title}>
      <form onSubmit={submit}>
        <Stack>
          <TextInput label="Name" required data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <Textarea label="Description" autosize minRows={2} value={description} onChange={(event) => setDescription(event.currentTarget.value)} />
          {error && <Failure error={error} />}
          <FormButtons saving={saving} onCancel={onClose} />
        </Stack>
      </form>
    </Modal>
  );
}
