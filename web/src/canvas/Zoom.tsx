// Nearer, farther, and all of the drawing at once. It comes before the steps in the order of focus, which lead on to their settings.
import { ActionIcon, Tooltip } from "@mantine/core";
import type { RefObject } from "react";

import { Icon, type IconName } from "../ui/Icon";
import { FIT, type Viewer } from "./sight";

export function Zoom({ flow }: { flow: RefObject<Viewer | undefined> }) {
  return (
    <ActionIcon.Group orientation="vertical" className="zoom">
      <Button label="Zoom in" icon="plus" onAct={() => void flow.current?.zoomIn()} />
      <Button label="Zoom out" icon="minus" onAct={() => void flow.current?.zoomOut()} />
      <Button label="Show all steps" icon="fit" onAct={() => void flow.current?.fitView(FIT)} />
    </ActionIcon.Group>
  );
}

function Button({ label, icon, onAct }: { label: string; icon: IconName; onAct: () => void }) {
  return (
    <Tooltip label={label} position="right">
      <ActionIcon variant="default" aria-label={label} onClick={onAct}>
        <Icon name={icon} size={14} />
      </ActionIcon>
    </Tooltip>
  );
}
