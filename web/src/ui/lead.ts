// A row of a table leads where its own link does.
import type { MouseEvent } from "react";

/** Follow the row's link on a click beside all that can be pressed, unless it was to mark some text. */
export function lead({ target, currentTarget, ctrlKey, metaKey }: MouseEvent<HTMLElement>): void {
  // What a dialog of the row is clicked for comes here too.
  if (!(target instanceof Element) || !currentTarget.contains(target)) return;
  if (target.closest("a, button, input, label") || getSelection()?.isCollapsed === false) return;
  currentTarget.querySelector(".row-link")?.dispatchEvent(new window.MouseEvent("click", { bubbles: true, cancelable: true, ctrlKey, metaKey }));
}
