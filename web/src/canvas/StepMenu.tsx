// What else can be done with a step.
import { ActionIcon, Menu } from "@mantine/core";

import { Icon } from "../ui/Icon";

export interface StepActions {
  copy: (all: boolean) => void;
  duplicate: () => void;
  moveTo: () => void;
  turn: () => void;
  remove: (all: boolean) => void;
}

interface Props {
  actions: StepActions;
  isOn: boolean;
  hasFollowers: boolean;
  readOnly: boolean;
}

export function StepMenu({ actions, isOn, hasFollowers, readOnly }: Props) {
  return (
    <Menu position="bottom-end" withinPortal shadow="md">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label="More of this step">
          <Icon name="more" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item rightSection={<Keys keys="Ctrl C" />} onClick={() => actions.copy(false)}>
          Copy
        </Menu.Item>
        {hasFollowers && <Menu.Item onClick={() => actions.copy(true)}>Copy with all that follows</Menu.Item>}
        {!readOnly && (
          <>
            <Menu.Item rightSection={<Keys keys="Ctrl D" />} onClick={actions.duplicate}>
              Duplicate
            </Menu.Item>
            <Menu.Item onClick={actions.moveTo}>Move to …</Menu.Item>
            <Menu.Item onClick={actions.turn}>{isOn ? "Switch off" : "Switch on"}</Menu.Item>
            <Menu.Divider />
            <Menu.Item color="red" rightSection={<Keys keys="Del" />} onClick={() => actions.remove(false)}>
              Delete
            </Menu.Item>
            {hasFollowers && (
              <Menu.Item color="red" onClick={() => actions.remove(true)}>
                Delete with all that follows
              </Menu.Item>
            )}
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

function Keys({ keys }: { keys: string }) {
  return <span className="step-kind">{keys}</span>;
}
