// Above the canvas: which version it is, whether it is saved, and what can be done with the whole of it.
import { ActionIcon, Button, Group, Select, Tooltip } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { lazy, Suspense } from "react";

import type { Version } from "../api/contract";
import { Deploy } from "../pages/Deploy";
import { Icon, type IconName } from "../ui/Icon";
import { useMe } from "../ui/me";
import { VersionStatus } from "../ui/parts";
import { CopyToDraft } from "../versions/CopyToDraft";
import type { Editor } from "./editor";
import { SaveState } from "./SaveState";

const Variables = lazy(async () => ({ default: (await import("./Variables")).Variables }));

interface Props {
  flow: number;
  version: Version;
  versions: Version[];
  editor: Editor;
  editable: boolean;
  onRun: () => void;
}

export function Toolbar({ flow, version, versions, editor, editable, onRun }: Props) {
  const navigate = useNavigate({ from: "/flows/$flow/canvas" });
  const { may } = useMe();
  return (
    <Group justify="space-between" p={6} gap="xs" style={{ borderBottom: "1px solid var(--line)" }}>
      <Group gap="xs">
        <Select aria-label="Version" w={210} allowDeselect={false} value={String(version.id)} data={versions.map((one) => ({ value: String(one.id), label: `Version ${one.iteration}, ${one.status}` }))} onChange={(id) => void navigate({ search: { version: Number(id) } })} />
        <VersionStatus status={version.status} />
        {editable && <SaveState state={editor.state} conflict={editor.conflict} />}
      </Group>
      <Group gap={6}>
        {editable && (
          <>
            <Step label="Undo" keys="Ctrl+Z" icon="undo" disabled={!editor.canUndo} onClick={editor.undo} />
            <Step label="Redo" keys="Ctrl+Shift+Z" icon="redo" disabled={!editor.canRedo} onClick={editor.redo} />
          </>
        )}
        <Suspense>
          <Variables version={version.id} editor={editor} readOnly={!editable} />
        </Suspense>
        {!version.is_editable && may("manager") && <CopyToDraft version={version} hasDraft={versions.some((one) => one.is_editable)} onCopied={({ id }) => void navigate({ search: { version: id } })} />}
        {may("user") && (
          <Button variant="light" leftSection={<Icon name="run" size={14} />} onClick={onRun}>
            Run
          </Button>
        )}
        {may("manager") && <Deploy flow={flow} version={version} settle={editor.settle} />}
      </Group>
    </Group>
  );
}

function Step({ label, keys, icon, disabled, onClick }: { label: string; keys: string; icon: IconName; disabled: boolean; onClick: () => void }) {
  return (
    <Tooltip label={`${label} (${keys})`}>
      <ActionIcon variant="subtle" color="gray" aria-label={label} disabled={disabled} onClick={onClick}>
        <Icon name={icon} />
      </ActionIcon>
    </Tooltip>
  );
}
