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
  /** What it was, where it is changed. */
  named?: Named;
  saving: boolean;
  error: ApiError | null;
  onSave: (fields: Named) => void;
  onClose: () => void;
}

export function NamedForm({ title, opened, onClose, ...form }: Props) {
  return (
    <Modal opened={opened} onClose={onClose} title={title}>
      <Form {...form} onClose={onClose} />
    </Modal>
  );
}

function Form({ named, saving, error, onSave, onClose }: Omit<Props, "title" | "opened">) {
  const [name, setName] = useState(named?.name ?? "");
  const [description, setDescription] = useState(named?.description ?? "");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSave({ name, description });
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label="Name" required data-autofocus value={name} error={error?.errors.name?.join(" ")} onChange={(event) => setName(event.currentTarget.value)} />
        <Textarea label="Description" autosize minRows={2} value={description} onChange={(event) => setDescription(event.currentTarget.value)} />
        {error && !error.errors.name && <Failure error={error} />}
        <FormButtons saving={saving} onCancel={onClose} />
      </Stack>
    </form>
  );
}
