// The form that makes a flow of an exported file.
import { FileInput, Modal, Stack, Text } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";

import { ApiError } from "../api/client";
import type { FlowDocument } from "../api/contract";
import { useChange } from "../api/hooks";
import { FormButtons } from "../ui/FormButtons";
import { Failure } from "../ui/parts";
import { read } from "./file";

export function ImportFlow({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const navigate = useNavigate();
  const [file, setFile] = useState<File | null>(null);
  const [unread, setUnread] = useState<ApiError | null>(null);
  const bring = useChange("import_flow", {
    onSuccess: ({ data }) => void navigate({ to: "/flows/$flow/canvas", params: { flow: String(data.id) } }),
  });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!file) return;
    const found = read(await file.text());
    setUnread(found instanceof ApiError ? found : null);
    if (!(found instanceof ApiError)) bring.mutate({ body: found as FlowDocument });
  };
  const choose = (chosen: File | null) => {
    bring.reset();
    setUnread(null);
    setFile(chosen);
  };
  const error = unread ?? bring.error;
  return (
    <Modal opened={opened} onClose={onClose} title="Import a flow">
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <FileInput label="File" placeholder="Choose an exported flow (.json)" size="xs" accept=".json,application/json" required clearable value={file} onChange={choose} data-autofocus />
          <Text size="xs" c="dimmed">
            The new flow is disabled and holds a draft. Connections of another company and secrets are not in the file.
          </Text>
          {error && <Failure error={error} />}
          <FormButtons save="Import" saving={bring.isPending} onCancel={onClose} />
        </Stack>
      </form>
    </Modal>
  );
}
