// The step types to choose from, by group, found by typing.
import { Modal, ScrollArea, Stack, Text, TextInput, UnstyledButton, Group } from "@mantine/core";
import { useState } from "react";

import type { StepType } from "../api/contract";
import { Icon } from "../ui/Icon";
import { Ticked } from "../ui/Ticked";
import { GROUPS, look } from "./look";

interface Props {
  types: Map<string, StepType>;
  opened: boolean;
  onClose: () => void;
  onChoose: (type: StepType) => void;
}

export function Palette({ types, opened, onClose, onChoose }: Props) {
  const [words, setWords] = useState("");
  const fits = (type: StepType) => `${type.title} ${type.microservice} ${type.help}`.toLowerCase().includes(words.trim().toLowerCase());
  const groups = grouped(types).map(([title, members]) => [title, members.filter(fits)] as const);
  const first = groups.flatMap(([, members]) => members)[0];
  const close = () => {
    setWords("");
    onClose();
  };
  const choose = (type: StepType) => {
    setWords("");
    onChoose(type);
  };
  return (
    <Modal opened={opened} onClose={close} title="Add a step" size="lg" scrollAreaComponent={ScrollArea.Autosize}>
      <TextInput data-autofocus size="sm" placeholder="Find a step: filter, http, delay …" aria-label="Find a step" value={words} onChange={(event) => setWords(event.currentTarget.value)} onKeyDown={(event) => event.key === "Enter" && first && choose(first)} />
      <Stack gap="xs" mt="sm">
        {groups.map(([title, members]) =>
          members.length ? (
            <Stack key={title} gap={2}>
              <Text size="xs" c="dimmed" fw={600}>
                {title}
              </Text>
              {members.map((type) => (
                <TypeButton key={type.microservice} type={type} onChoose={choose} />
              ))}
            </Stack>
          ) : null,
        )}
        {!first && <Text size="sm">No step is called so. Clear the field to see all of them.</Text>}
      </Stack>
    </Modal>
  );
}

function TypeButton({ type, onChoose }: { type: StepType; onChoose: (type: StepType) => void }) {
  const { icon, tint } = look(type.microservice);
  return (
    <UnstyledButton className="nav-link" onClick={() => onChoose(type)} data-type={type.microservice}>
      <Group gap="sm" wrap="nowrap" align="start">
        <span style={{ color: tint, paddingTop: 2 }}>
          <Icon name={icon} size={18} />
        </span>
        <Stack gap={0}>
          <Text size="sm" fw={600}>
            {type.title}
          </Text>
          <Text size="xs" c="dimmed" lineClamp={2}>
            <Ticked>{type.help}</Ticked>
          </Text>
        </Stack>
      </Group>
    </UnstyledButton>
  );
}

function grouped(types: Map<string, StepType>): Array<[string, StepType[]]> {
  const known = new Set(GROUPS.flatMap(([, names]) => names));
  const others = [...types.keys()].filter((name) => !known.has(name) && name !== "trigger");
  return [...GROUPS, ["Others", others] as [string, string[]]].map(([title, names]) => [
    title,
    names.flatMap((name) => types.get(name) ?? []),
  ]);
}
