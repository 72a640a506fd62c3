// A map side by side: the sample, the rules as the object that they make, and what comes out.
import { Box, Button, Group, Modal, ScrollArea, SegmentedControl, Text } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { type ReactNode, useMemo, useState } from "react";

import { useAround } from "./around";
import { Preview } from "./Preview";
import type { RulesProps } from "./RulesField";
import { hasOrigin, type Rule, ruleFor, withOrigin, withoutEmpty } from "./rules";
import { recordsAt, shapeOf } from "./sample";
import { SampleFields } from "./SampleFields";
import { Targets } from "./Targets";

interface Props extends Omit<RulesProps, "value"> {
  value: Rule[];
  first: number | null;
  onClose: () => void;
}

export function MapEditor({ transforms, value, problems, readOnly, first, onChange, onClose }: Props) {
  const { sample, config } = useAround();
  const [selected, setSelected] = useState<number | undefined>(first ?? undefined);
  const path = typeof config.path === "string" ? config.path : undefined;
  const shape = useMemo(() => shapeOf(recordsAt(sample?.body, path)), [sample, path]);
  const used = useMemo(() => new Set(value.map((rule) => rule.source ?? "")), [value]);
  const change = (next: Rule[]) => onChange(next.length ? next.map(withoutEmpty) : undefined);
  const set = (at: number, rule: Rule) => change(value.map((old, index) => (index === at ? rule : old)));
  const add = (rule: Rule) => {
    change([...value, rule]);
    setSelected(value.length);
  };
  const remove = (at: number) => {
    change(value.filter((_, index) => index !== at));
    setSelected(undefined);
  };
  /** A chosen field goes to the rule that is open if that lacks one; else it gets a rule of its own. */
  const take = (from: string) => {
    const open = selected === undefined ? undefined : value[selected];
    if (open && selected !== undefined && !hasOrigin(open)) set(selected, { ...open, source: from, target: open.target || from });
    else add(ruleFor(from));
  };
  const drop = (from: string, to: number | string) => {
    if (typeof to === "string") return add(ruleFor(from, to));
    const rule = value[to];
    if (rule) set(to, withOrigin(rule, "source", from));
    setSelected(to);
  };
  const parts: Record<Part, ReactNode> = {
    Sample: <SampleFields shape={shape} used={used} readOnly={readOnly} onChoose={take} />,
    Rules: (
      <>
        <Targets rules={value} transforms={transforms} problems={problems} selected={selected} readOnly={readOnly} onSelect={setSelected} onChange={set} onRemove={remove} onDrop={drop} />
        {!readOnly && (
          <Button variant="light" size="compact-xs" mt="xs" onClick={() => add({})}>
            Add a rule
          </Button>
        )}
      </>
    ),
    Result: <Preview rules={value} transforms={transforms} />,
  };
  return (
    <Modal opened onClose={onClose} title="Map fields" size="min(1400px, 96vw)" padding="sm">
      <Parts parts={parts} />
      <Group justify="end" mt="sm">
        <Button onClick={onClose}>{readOnly ? "Close" : "Done"}</Button>
      </Group>
    </Modal>
  );
}

type Part = "Sample" | "Rules" | "Result";
const PARTS: Part[] = ["Sample", "Rules", "Result"];

/** Side by side where there is room, else one at a time. */
function Parts({ parts }: { parts: Record<Part, ReactNode> }) {
  const isNarrow = useMediaQuery("(max-width: 62em)", false, { getInitialValueInEffect: false });
  const [shown, setShown] = useState<Part>("Rules");
  return (
    <>
      {isNarrow && <SegmentedControl size="xs" mb="xs" data={PARTS} value={shown} onChange={(next) => setShown(next as Part)} />}
      <Box className="map-parts" data-narrow={isNarrow}>
        {PARTS.filter((part) => !isNarrow || part === shown).map((part) => (
          <Box key={part} component="section" aria-label={part} miw={0}>
            {!isNarrow && (
              <Text size="xs" fw={600} mb={4}>
                {part}
              </Text>
            )}
            <ScrollArea h="min(60vh, 640px)" type="auto" className="card" p="xs">
              {parts[part]}
            </ScrollArea>
          </Box>
        ))}
      </Box>
    </>
  );
}
