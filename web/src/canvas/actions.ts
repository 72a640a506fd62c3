// What can be done with the chosen step, from its menu and by key.
import { useHotkeys } from "@mantine/hooks";

import type { Step } from "../api/contract";
import { tell } from "../ui/tell";
import { copySteps, useClipboard } from "./clipboard";
import { type Copied, copyOf, moved } from "./copies";
import type { Editor } from "./editor";
import type { Tree } from "./graph";
import type { StepActions } from "./StepMenu";
import { lastPlace, placeAfter } from "./walking";

interface Chosen {
  tree: Tree | undefined;
  editor: Editor;
  editable: boolean;
  /** The step that is open, or that the keyboard is at. */
  step: Step | undefined;
  onSelect: (step: number | undefined) => void;
  onMoveTo: (step: Step) => void;
}

const told = (copied: Copied): string => (copied.length === 1 ? `"${copied[0]?.name}" is copied.` : `${copied.length} steps are copied.`);

export function useActions({ tree, editor, editable, step, onSelect, onMoveTo }: Chosen): (step: Step) => StepActions {
  const show = (made: number | undefined) => {
    if (made !== undefined) onSelect(made);
  };
  const paste = (copied: Copied) => {
    if (!tree) return;
    const place = step ? placeAfter(tree, step) : lastPlace(tree);
    if (!editable) tell.failed(new Error("Steps can be pasted into a draft only."));
    else if (place) void editor.insert(place, moved(copied)).then(show);
  };
  const of = (one: Step): StepActions => ({
    copy: (all) => {
      if (!tree) return;
      const copied = copyOf(tree, one, all);
      copySteps(copied);
      tell.done(told(copied));
    },
    duplicate: () => {
      if (!tree) return;
      // What has routes is put beside itself: after it there is one place for each of them.
      const hasRoutes = tree.routes(one).length > 0;
      const place = hasRoutes ? { parent: one.parent_id ?? 0, route: one.flow_step_route_id } : placeAfter(tree, one);
      void editor.insert(place, moved(copyOf(tree, one)), hasRoutes).then(show);
    },
    moveTo: () => onMoveTo(one),
    turn: () => void editor.change(one, { is_enabled: !one.is_enabled }),
    remove: (all) => {
      if (!tree) return;
      onSelect(undefined);
      void editor.remove(tree, one, all);
    },
  });
  useClipboard({
    copied: () => {
      if (!tree || !step || step.parent_id === undefined) return undefined;
      const copied = copyOf(tree, step);
      tell.done(told(copied));
      return copied;
    },
    onPaste: paste,
  });
  useHotkeys([
    ["mod+Z", () => editable && editor.undo()],
    ["mod+shift+Z", () => editable && editor.redo()],
    ["mod+D", () => editable && step?.parent_id !== undefined && of(step).duplicate()],
  ]);
  return of;
}
