// What can be done with a version, each saying beforehand what it will do.
import { ActionIcon, Group, Menu } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import type { Version } from "../api/contract";
import { useChange } from "../api/hooks";
import { Deploy } from "../pages/Deploy";
import { ConfirmDialog } from "../ui/Confirm";
import { Icon } from "../ui/Icon";
import { useMe } from "../ui/me";
import { tell } from "../ui/tell";
import { Words } from "./Words";

type Dialog = "copy" | "words" | "upload" | "delete";

interface Props {
  version: Version;
  /** The flow's draft, if it has one. */
  draft: Version | undefined;
}

export function VersionActions({ version, draft }: Props) {
  const { may } = useMe();
  const [dialog, setDialog] = useState<Dialog>();
  const flow = String(version.flow_id);
  return (
    <Group gap={4} justify="end" wrap="nowrap">
      {may("manager") && <Deploy flow={version.flow_id} version={version} isQuiet />}
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="default" size={30} aria-label={`More about version ${version.iteration}`}>
            <Icon name="more" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item component={Link} to={`/flows/${flow}/compare?to=${version.id}`}>
            Compare
          </Menu.Item>
          <Menu.Item component={Link} to={`/flows/${flow}/runs?version=${version.id}`}>
            Runs
          </Menu.Item>
          {may("manager") && <Menu.Item onClick={() => setDialog("words")}>Label and message</Menu.Item>}
          {may("manager") && !version.is_editable && <Menu.Item onClick={() => setDialog("copy")}>Copy to draft</Menu.Item>}
          {may("administrator") && version.is_deployed && <Menu.Item onClick={() => setDialog("upload")}>Upload to the marketplace</Menu.Item>}
          {may("manager") && !version.is_deployed && (
            <Menu.Item color="red" onClick={() => setDialog("delete")}>
              Delete
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <Words version={version} opened={dialog === "words"} onClose={() => setDialog(undefined)} />
      <Dialogs version={version} draft={draft} dialog={dialog} onClose={() => setDialog(undefined)} />
    </Group>
  );
}

function Dialogs({ version, draft, dialog, onClose }: Props & { dialog: Dialog | undefined; onClose: () => void }) {
  const navigate = useNavigate();
  const path = { flow: version.flow_id, version: version.id };
  const copy = useChange("copy_version", {
    onSuccess: ({ data }) => void navigate({ to: "/flows/$flow/canvas", params: { flow: String(version.flow_id) }, search: { version: data.id } }),
  });
  const remove = useChange("delete_version", { onSuccess: ({ message }) => tell.done(message) });
  const upload = useChange("upload_flow_version", { onSuccess: ({ data }) => tell.done(`It is version ${data.version} of the app ${data.name}.`) });
  return (
    <>
      <ConfirmDialog opened={dialog === "copy"} onClose={onClose} label="Copy to draft" color={draft && "orange"} title={`Copy version ${version.iteration} to a draft?`} onConfirm={() => copy.mutate({ path }, { onError: tell.failed })}>
        Its steps, variables and schedules become a new draft; what is deployed goes on as it is.
        {draft && ` The draft that there is, version ${draft.iteration}, is replaced: its changes are gone for good.`}
      </ConfirmDialog>
      <ConfirmDialog opened={dialog === "upload"} onClose={onClose} label="Upload" title={`Upload version ${version.iteration} to the marketplace?`} onConfirm={() => upload.mutate({ path: { flow_version: version.id }, body: {} }, { onError: tell.failed })}>
        It becomes the next version of this flow's app, which only your company sees. Managers can install it as a new flow; secrets do not go along.
      </ConfirmDialog>
      <ConfirmDialog opened={dialog === "delete"} onClose={onClose} label="Delete" color="red" title={`Delete version ${version.iteration}?`} onConfirm={() => remove.mutate({ path }, { onError: tell.failed })}>
        Its steps and schedules are gone for good. Its runs and metrics stay readable, and runs that have begun go on to their end.
      </ConfirmDialog>
    </>
  );
}
