// A sample payload as a tree of its paths: each can be clicked, or dragged to where it is to go.
import { Stack, Text, UnstyledButton } from "@mantine/core";

import type { Branch } from "./sample";

export const PATH_TYPE = "text/x-flowloom-path";

interface Props {
  branches: Branch[];
  /** What is taken already. */
  used: Set<string>;
  readOnly: boolean;
  onChoose: (path: string) => void;
}

export function SampleTree({ branches, used, readOnly, onChoose }: Props) {
  return (
    <Stack gap={0}>
      {branches.map((branch) => (
        <div key={branch.path}>
          <UnstyledButton
            className="sample-path mono"
            data-used={used.has(branch.path)}
            disabled={readOnly}
            draggable={!readOnly}
            aria-label={`Take ${branch.path}`}
            onClick={() => onChoose(branch.path)}
            onDragStart={(event) => {
              event.dataTransfer.setData(PATH_TYPE, branch.path);
              event.dataTransfer.effectAllowed = "copy";
            }}
          >
            <strong>{branch.key}</strong>
            <Text span inherit c="dimmed" truncate>
              {branch.example ?? ""}
            </Text>
          </UnstyledButton>
          {branch.children.length > 0 && (
            <div className="sample-below">
              <SampleTree branches={branch.children} used={used} readOnly={readOnly} onChoose={onChoose} />
            </div>
          )}
        </div>
      ))}
    </Stack>
  );
}
