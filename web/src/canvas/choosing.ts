// Which steps are chosen: one that is open, or several that are moved, copied and deleted together. Pure.
import type { Step } from "../api/contract";
import type { Tree } from "./graph";

export interface Choice {
  /** The step whose settings are shown. */
  open?: number;
  /** Steps that are chosen together; none is open then. */
  group: ReadonlySet<number>;
}

export const only = (open: number | undefined): Choice => ({ open, group: new Set() });
export const several = (ids: Iterable<number>): Choice => ({ group: new Set(ids) });

const ids = ({ open, group }: Choice): number[] => (group.size || open === undefined ? [...group] : [open]);

/** One more, or one less where it is chosen already. */
export function toggled(choice: Choice, id: number): Choice {
  const now = ids(choice);
  return several(now.includes(id) ? now.filter((one) => one !== id) : [...now, id]);
}

export const extended = (choice: Choice, ...more: number[]): Choice => several([...ids(choice), ...more]);

/** The steps of a group in run order, as far as they are there. */
export const groupOf = (tree: Tree | undefined, { group }: Choice): Step[] => (group.size ? (tree?.steps.filter(({ id }) => group.has(id)) ?? []) : []);

/** The step that one is at when these are gone. */
export function survivor(tree: Tree, gone: Step[]): number | undefined {
  const going = new Set(gone.map(({ id }) => id));
  let at = gone[0];
  while (at && going.has(at.id) && at.parent_id !== undefined) at = tree.byId.get(at.parent_id);
  return at?.id;
}
