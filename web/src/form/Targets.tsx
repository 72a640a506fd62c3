// The rules of a map as the tree of what they make; a field dropped on one becomes its source, elsewhere a rule of its own.
import { Badge, Text, UnstyledButton } from "@mantine/core";
import { type DragEvent, type ReactNode, useRef, useState } from "react";

import type { Problems } from "./check";
import { RuleEditor } from "./RuleEditor";
import { type Rule, type TargetBranch, targetsOf, told, type Transform } from "./rules";
import { PATH_TYPE } from "./SampleTree";
import { under } from "./schema";

interface Props {
  rules: Rule[];
  transforms: Transform[];
  problems: Problems;
  selected: number | undefined;
  readOnly: boolean;
  onSelect: (rule: number | undefined) => void;
  onChange: (rule: number, next: Rule) => void;
  onRemove: (rule: number) => void;
  /** On a rule, by number, or below a target, "" being the whole. */
  onDrop: (path: string, to: number | string) => void;
}

export function Targets(props: Props) {
  const { rules, selected, readOnly, onDrop } = props;
  // An open rule stays where it is while its target is typed.
  const held = useRef<{ rule: number | undefined; target: string }>(undefined);
  if (held.current?.rule !== selected) held.current = { rule: selected, target: rules[selected ?? -1]?.target ?? "" };
  const { target } = held.current ?? { target: "" };
  const placed = rules.map((rule, index) => (index === selected ? { ...rule, target } : rule));
  return (
    <>
      <Branches {...props} branches={targetsOf(placed)} />
      {!readOnly && (
        <DropPlace onDrop={(path) => onDrop(path, "")}>
          <Text size="xs" c="dimmed" p={6}>
            {rules.length ? "Click a field of the sample, or drop it here or on a rule." : "Click a field of the sample, or drop it here, and it becomes part of the result."}
          </Text>
        </DropPlace>
      )}
    </>
  );
}

function Branches({ branches, ...props }: Props & { branches: TargetBranch[] }) {
  return branches.map((branch) => (
    <div key={branch.rules[0] ?? branch.path}>
      {branch.rules.map((rule) => (
        <Row key={rule} {...props} rule={rule} name={branch.key} />
      ))}
      {branch.children.length > 0 && (
        <>
          {!branch.rules.length && (
            <DropPlace disabled={props.readOnly} onDrop={(path) => props.onDrop(path, branch.path)}>
              <Text className="mono" fw={600} px={6}>
                {branch.key === "*" ? "each" : branch.key}
              </Text>
            </DropPlace>
          )}
          <div className="sample-below">
            <Branches {...props} branches={branch.children} />
          </div>
        </>
      )}
    </div>
  ));
}

function Row({ rule: number, name, rules, transforms, problems, selected, readOnly, onSelect, onChange, onRemove, onDrop }: Props & { rule: number; name: string }) {
  const rule = rules[number];
  if (!rule) return null;
  const own = under(problems, String(number));
  const isOpen = selected === number;
  return (
    <DropPlace disabled={readOnly} onDrop={(path) => onDrop(path, number)}>
      <UnstyledButton className="rule-line mono" aria-expanded={isOpen} aria-label={`Rule of ${rule.target || "no target"}`} onClick={() => onSelect(isOpen ? undefined : number)}>
        <strong>{name || "…"}</strong>
        <Text span inherit c="dimmed" truncate>
          ← {told(rule)}
        </Text>
        {Object.keys(own).length > 0 && (
          <Badge color="orange" variant="filled" size="xs" circle>
            !
          </Badge>
        )}
      </UnstyledButton>
      {isOpen && <RuleEditor rule={rule} transforms={transforms} problems={own} readOnly={readOnly} onChange={(next) => onChange(number, next)} onRemove={() => onRemove(number)} />}
    </DropPlace>
  );
}

interface DropProps {
  disabled?: boolean;
  onDrop: (path: string) => void;
  children: ReactNode;
}

function DropPlace({ disabled, onDrop, children }: DropProps) {
  const [isOver, setOver] = useState(false);
  const over = (event: DragEvent) => {
    if (disabled || !event.dataTransfer.types.includes(PATH_TYPE)) return;
    event.preventDefault();
    event.stopPropagation();
    setOver(true);
  };
  const drop = (event: DragEvent) => {
    const path = event.dataTransfer.getData(PATH_TYPE);
    setOver(false);
    if (!path || disabled) return;
    event.preventDefault();
    event.stopPropagation();
    onDrop(path);
  };
  return (
    <div className="drop-place" data-over={isOver} onDragOver={over} onDragLeave={() => setOver(false)} onDrop={drop}>
      {children}
    </div>
  );
}
