// The command palette: type a few letters, choose with the arrows, go there with Enter.
import { Group, Modal, Text, TextInput } from "@mantine/core";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";

import { Icon } from "../ui/Icon";
import type { Entry } from "./entries";
import { useEntries } from "./useEntries";

interface Props {
  onClose: () => void;
  onHelp: () => void;
}

export function Palette({ onClose, onHelp }: Props) {
  return (
    <Modal opened onClose={onClose} withCloseButton={false} padding={0} yOffset="12vh" size={560} attributes={{ content: { "aria-label": "Command palette" } }} transitionProps={{ duration: 0 }}>
      <Commands onClose={onClose} onHelp={onHelp} />
    </Modal>
  );
}

function Commands({ onClose, onHelp }: Props) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const entries = useEntries(text.trim(), onHelp);
  const choose = (entry: Entry | undefined) => {
    if (!entry) return;
    onClose();
    entry.go();
  };
  const keys = (event: KeyboardEvent) => {
    const moves: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };
    const move = moves[event.key];
    if (move && entries.length) setAt((old) => (old + move + entries.length) % entries.length);
    else if (event.key === "Enter") choose(entries[at]);
    else return;
    event.preventDefault();
  };
  const change = (value: string) => {
    setText(value);
    setAt(0);
  };
  return (
    <>
      <TextInput
        size="md"
        variant="unstyled"
        px={6}
        data-autofocus
        placeholder="A page, a flow, the number of a run…"
        leftSection={<Icon name="search" />}
        role="combobox"
        aria-label="Find a page, a flow, a run or an action"
        aria-expanded
        aria-controls="palette"
        aria-activedescendant={entries[at] && `palette-${at}`}
        value={text}
        onChange={(event) => change(event.currentTarget.value)}
        onKeyDown={keys}
      />
      <div role="listbox" id="palette" aria-label="Found" className="palette">
        {entries.map((entry, number) => (
          <Option key={entry.id} id={`palette-${number}`} entry={entry} isChosen={number === at} onPoint={() => setAt(number)} onChoose={() => choose(entry)} />
        ))}
        {!entries.length && (
          <Text size="sm" c="dimmed" p="sm">
            Nothing is called so.
          </Text>
        )}
      </div>
    </>
  );
}

interface OptionProps {
  id: string;
  entry: Entry;
  isChosen: boolean;
  onPoint: () => void;
  onChoose: () => void;
}

function Option({ id, entry, isChosen, onPoint, onChoose }: OptionProps) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (isChosen) element.current?.scrollIntoView({ block: "nearest" });
  }, [isChosen]);
  return (
    <div ref={element} id={id} role="option" aria-selected={isChosen} className="palette-entry" onMouseMove={onPoint} onClick={onChoose}>
      <Group gap="sm" wrap="nowrap">
        <Icon name={entry.icon} />
        <Text size="sm" truncate>
          {entry.label}
        </Text>
      </Group>
      <Text size="xs" c="dimmed">
        {entry.kind}
      </Text>
    </div>
  );
}
