// What can be done with a flow of the list: duplicate, export, switch on and off, delete.
import { ActionIcon, Menu, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Link } from "@tanstack/react-router";

import type { Flow } from "../api/contract";
import { useChange } from "../api/hooks";
import { ConfirmDialog } from "../ui/Confirm";
import { Icon } from "../ui/Icon";
import { useMe } from "../ui/me";
import { tell } from "../ui/tell";

export function FlowActions({ flow }: { flow: Flow }) {
  const { may } = useMe();
  const [asked, { open, close }] = useDisclosure();
  const path = { flow: flow.id };
  const duplicate = useChange("duplicate_flow", { onSuccess: ({ data }) => tell.done(`"${data.name}" was made, disabled, as a draft.`) });
  const update = useChange("update_flow");
  const remove = useChange("delete_flow", { onSuccess: () => tell.done(`"${flow.name}" was deleted.`) });
  const failed = { onError: tell.failed };
  return (
    <>
      <Menu position="bottom-end" width={180}>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={`Actions of ${flow.name}`}>
            <Icon name="more" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {may("manager") && (
            <>
              <Menu.Item onClick={() => update.mutate({ path, body: { is_enabled: !flow.is_enabled } }, failed)}>{flow.is_enabled ? "Disable" : "Enable"}</Menu.Item>
              <Menu.Item disabled={!flow.current_version} onClick={() => duplicate.mutate({ path }, failed)}>
                Duplicate
              </Menu.Item>
            </>
          )}
          <Menu.Item component="a" href={`/api/v1/flows/${flow.id}/export`} download={`${flow.name}.json`} disabled={!flow.current_version}>
            Export
          </Menu.Item>
          {may("manager") && (
            <Menu.Item color="red" onClick={open}>
              Delete
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <ConfirmDialog opened={asked} onClose={close} label="Delete flow" color="red" title={`Delete the flow ${flow.name}?`} isImpossible={Boolean(flow.deployed_version)} onConfirm={() => remove.mutate({ path }, failed)}>
        <Consequence flow={flow} />
      </ConfirmDialog>
    </>
  );
}

function Consequence({ flow }: { flow: Flow }) {
  const { deployed_version: deployed } = flow;
  if (!deployed) return "Its versions, schedules and webhooks are gone for good. Its runs stay readable.";
  return (
    <Text size="sm" inherit>
      Version {deployed.iteration} is deployed, so the flow cannot be deleted now. Undeploy it first, on the page of its{" "}
      <Link to="/flows/$flow/versions" params={{ flow: String(flow.id) }}>
        versions
      </Link>
      .
    </Text>
  );
}
