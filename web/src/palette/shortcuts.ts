// Which keys do what: single ones, and ones that follow g.
export type Does = "palette" | "help" | "search" | "new" | { to: string };

interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

/** After g; it ends by itself. */
export interface Waiting {
  until: number;
}

export interface Step {
  does?: Does;
  waiting?: Waiting;
}

const WAIT_MS = 1_500;
const SINGLE: Record<string, Does> = { "?": "help", "/": "search", n: "new" };

/** What a key means now; `isTyping`: it is meant for a field. */
export function press(pressed: Pressed, isTyping: boolean, waiting: Waiting | undefined, places: ReadonlyMap<string, string>, now: number): Step {
  const { key, ctrlKey, metaKey, altKey } = pressed;
  if ((ctrlKey || metaKey) && !altKey && key.toLowerCase() === "k") return { does: "palette" };
  if (ctrlKey || metaKey || altKey || isTyping) return {};
  if (waiting && now < waiting.until) {
    const to = places.get(key);
    return to === undefined ? {} : { does: { to } };
  }
  if (key === "g") return { waiting: { until: now + WAIT_MS } };
  const does = SINGLE[key];
  return does === undefined ? {} : { does };
}
