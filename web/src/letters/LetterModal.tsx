// One dead letter: why it failed, what it is, and driving it again as it is, edited, or on another version.
import { Anchor, Button, Group, Modal, Stack, Text, Textarea } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { url } from "../api/client";
import type { DeadLetter } from "../api/contract";
import { useChange } from "../api/hooks";
import { Data } from "../run/Data";
import { usePayload } from "../run/usePayload";
import { Confirm } from "../ui/Confirm";
import { bytes } from "../ui/format";
import { useMe } from "../ui/me";
import { Failure, Instant, Loading } from "../ui/parts";
import { tell } from "../ui/tell";
import { VersionSelect } from "../ui/VersionSelect";

export function LetterModal({ letter, onClose }: { letter: DeadLetter | undefined; onClose: () => void }) {
  return (
    <Modal opened={letter !== undefined} onClose={onClose} title={letter && `Failed in ${letter.step_name}`} size="xl">
      {letter && <Letter letter={letter} onDone={onClose} />}
    </Modal>
  );
}

function Letter({ letter, onDone }: { letter: DeadLetter; onDone: () => void }) {
  const address = url("download_dead_letter", { path: { dead_letter: letter.id } });
  const body = usePayload(address, letter.bytes);
  const { may } = useMe();
  const [edited, setEdited] = useState<string>();
  return (
    <Stack gap="sm">
      <Text size="sm" c="red" style={{ overflowWrap: "anywhere" }}>
        {letter.message}
      </Text>
      <Text size="xs" c="dimmed">
        In{" "}
        <Link to="/runs/$run" params={{ run: String(letter.flow_run_id) }} search={{ step: letter.step_key }}>
          run {letter.flow_run_id}
        </Link>{" "}
        of version {letter.iteration}, <Instant at={letter.created_at} />. {letter.content_type}, {bytes(letter.bytes)}.{" "}
        <Anchor href={address} download inherit>
          Download
        </Anchor>
      </Text>
      {body.error && <Failure error={body.error} />}
      {body.isLoading && <Loading rows={3} />}
      {edited === undefined && body.isSuccess && <Data value={body.data} />}
      {edited !== undefined && <Textarea label="Payload" description="What it sends counts as new." autosize minRows={6} maxRows={20} value={edited} onChange={(event) => setEdited(event.currentTarget.value)} styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }} />}
      {letter.state === "open" && may("user") && <Actions letter={letter} edited={edited} onEdit={body.isSuccess ? () => setEdited(written(body.data)) : undefined} onDone={onDone} />}
    </Stack>
  );
}

interface ActionsProps {
  letter: DeadLetter;
  edited: string | undefined;
  onEdit: (() => void) | undefined;
  onDone: () => void;
}

function Actions({ letter, edited, onEdit, onDone }: ActionsProps) {
  const [version, setVersion] = useState<number>();
  const done = (said: string) => {
    tell.done(said);
    onDone();
  };
  const drive = useChange("redrive_dead_letter", { onSuccess: () => done("It was queued again.") });
  const discard = useChange("discard_dead_letter", { onSuccess: () => done("It was discarded.") });
  const path = { dead_letter: letter.id };
  return (
    <>
      {drive.error && <Failure error={drive.error} />}
      <Group justify="space-between" align="end">
        <VersionSelect flow={letter.flow_id} label="On" w={260} placeholder={`Version ${letter.iteration}, on which it failed`} value={version} onChange={setVersion} />
        <Group gap="xs">
          <Confirm label="Discard" variant="subtle" color="red" title="Discard this payload?" onConfirm={() => discard.mutate({ path }, { onError: tell.failed })}>
            It is not worked on again. It stays readable until its retention ends.
          </Confirm>
          {edited === undefined && onEdit && (
            <Button variant="default" onClick={onEdit}>
              Edit
            </Button>
          )}
          <Button loading={drive.isPending} onClick={() => drive.mutate({ path, body: { version, payload: edited } })}>
            Drive again
          </Button>
        </Group>
      </Group>
    </>
  );
}

function written(body: unknown): string {
  return typeof body === "string" ? body : JSON.stringify(body, null, 2);
}
