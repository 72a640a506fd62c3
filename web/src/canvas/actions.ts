// What can be done with the chosen steps, from their menus and by key.
import { useHotkeys } from "@mantine/hooks";

import type { Step } from "../api/contract";
import { tell } from "../ui/tell";
import { type Choice, groupOf, only, several, survivor } from "./choosing";
import { copySteps, useClipboard } from "./clipboard";
import { type Copied, copyOf, copyOfSome, moved } from "./copies";
import type { Editor } from "./editor";
import type { Tree } from "./graph";
import { focusStep } from "./sight";
import type { StepActions } from "./StepMenu";
import { lastPlace, placeAfter } from "./walking";

interface Chosen {
  tree: Tree | undefined;
  editor: Editor;
  editable: boolean;
  choice: Choice;
  /** The step that the keyboard is at. */
  current: number | undefined;
  onChoose: (choice: Choice) => void;
  onMoveTo: (step: Step) => void;
}

export interface GroupActions {
  steps: Step[];
  copy: () => void;
  duplicate: () => void;
  remove: () => void;
  leave: () => void;
}

const told = (copied: Copied): string => (copied.length === 1 ? `"${copied[0]?.name}" is copied.` : `${copied.length} steps are copied.`);
/** Whether keys are meant for what lies over the page. */
const isCovered = (): boolean => document.querySelector("[role=dialog], [role=menu]") !== null;

export function useActions(chosen: Chosen): { of: (step: Step) => StepActions; group: GroupActions } {
  const { tree, editor, editable, choice, current, onChoose } = chosen;
  const steps = groupOf(tree, choice);
  const step = tree?.byId.get(choice.open ?? current ?? 0);
  const of = (one: Step) => stepActions(chosen, one);
  const group = groupActions(chosen, steps);
  const paste = (copied: Copied) => {
    if (!tree) return;
    const after = steps.at(-1) ?? step;
    const place = after ? placeAfter(tree, after) : lastPlace(tree);
    if (!editable) tell.failed(new Error("Steps can be pasted into a draft only."));
    else if (place) void editor.insert(place, moved(copied)).then((made) => show(made, onChoose));
  };
  const copied = (): Copied => (tree && steps.length ? copyOfSome(tree, steps) : tree && step?.parent_id !== undefined ? copyOf(tree, step) : []);
  useClipboard({
    copied: () => {
      const found = copied();
      if (!found.length) return undefined;
      tell.done(told(found));
      return found;
    },
    onPaste: paste,
  });
  const onKey = (act: () => unknown) => () => void (isCovered() || act());
  useHotkeys([
    ["mod+Z", onKey(() => editable && editor.undo())],
    ["mod+shift+Z", onKey(() => editable && editor.redo())],
    ["mod+D", onKey(() => editable && (steps.length ? group.duplicate() : step?.parent_id !== undefined && of(step).duplicate()))],
    ["mod+A", onKey(() => tree && onChoose(several(tree.byId.keys())))],
  ]);
  // They are for several steps only; those for one are pressed on it.
  const onGroupKey = (act: () => unknown) => () => void (steps.length && !isCovered() && act());
  const whole = { preventDefault: false };
  useHotkeys([
    ["Delete", onGroupKey(() => editable && group.remove()), whole],
    ["Backspace", onGroupKey(() => editable && group.remove()), whole],
    ["Escape", onGroupKey(group.leave), whole],
  ]);
  return { of, group };
}

/** What was just made is chosen. */
function show(made: number[], onChoose: Chosen["onChoose"]): void {
  if (made.length) onChoose(made.length > 1 ? several(made) : only(made[0]));
}

function stepActions({ tree, editor, onChoose, onMoveTo }: Chosen, one: Step): StepActions {
  return {
    copy: (all) => tree && copy(copyOf(tree, one, all)),
    duplicate: () => {
      if (!tree) return;
      // What has routes is put beside itself: after it there is one place for each of them.
      const hasRoutes = tree.routes(one).length > 0;
      const place = hasRoutes ? { parent: one.parent_id ?? 0, route: one.flow_step_route_id } : placeAfter(tree, one);
      void editor.insert(place, moved(copyOf(tree, one)), hasRoutes).then(([made]) => made !== undefined && onChoose(only(made)));
    },
    moveTo: () => onMoveTo(one),
    turn: () => void editor.change(one, { is_enabled: !one.is_enabled }),
    remove: (all) => {
      if (!tree) return;
      onChoose(only(undefined));
      void editor.remove(tree, one, all);
    },
  };
}

function groupActions({ tree, editor, onChoose }: Chosen, steps: Step[]): GroupActions {
  // Where the flow begins stays.
  const some = steps.filter((one) => one.parent_id !== undefined);
  return {
    steps,
    copy: () => tree && some.length && copy(copyOfSome(tree, some)),
    duplicate: () => {
      const [first] = some;
      if (!tree || !first) return;
      const place = { parent: first.parent_id ?? 0, route: first.flow_step_route_id };
      void editor.insert(place, moved(copyOfSome(tree, some)), true).then((made) => show(made, onChoose));
    },
    remove: () => {
      if (!tree || !some.length) return;
      onChoose(only(undefined));
      focusStep(survivor(tree, some) ?? 0);
      void editor.removeSome(tree, some);
    },
    leave: () => onChoose(only(undefined)),
  };
}

function copy(copied: Copied): void {
  copySteps(copied);
  tell.done(told(copied));
}
