// What can be filled in where one types a template: `{{variable}}`, `[[payload.path]]` and `[[meta.key]]`. Pure.
export interface Known {
  variables: string[];
  /** Paths of a sample payload. */
  paths: string[];
  /** Keys of its meta. */
  meta: string[];
}

export interface Completion {
  /** What is replaced: from here up to `to`. */
  from: number;
  to: number;
  options: string[];
}

export const NOTHING_KNOWN: Known = { variables: [], paths: [], meta: [] };
const MOST_OPTIONS = 50;
const OPEN = /(\{\{|\[\[)([^{}[\]]*)$/;
const REST = { "{{": /^[^{}[\]\s]*\s*(\}\}|\})?/, "[[": /^[^{}[\]\s]*\s*(\]\]|\])?/ };

/** All that can be filled in, each as it is written. */
export function placeholders({ variables, paths, meta }: Known): string[] {
  return [...variables.map((name) => `{{${name}}}`), ...["payload", ...paths.map((path) => `payload.${path}`), ...meta.map((key) => `meta.${key}`)].map((path) => `[[${path}]]`)];
}

/** What the placeholder that the caret stands in may become; undefined outside of one. */
export function complete(text: string, caret: number, known: Known): Completion | undefined {
  const before = text.slice(0, caret);
  const open = OPEN.exec(before);
  if (!open) return undefined;
  const [whole, brackets, typed] = open as unknown as [string, "{{" | "[[", string];
  const words = typed.trim().toLowerCase();
  const of = placeholders(known).filter((one) => one.startsWith(brackets));
  // What begins so comes first, then what holds it somewhere.
  const begins = of.filter((one) => one.slice(2).toLowerCase().startsWith(words));
  const holds = of.filter((one) => !begins.includes(one) && one.toLowerCase().includes(words));
  const rest = REST[brackets].exec(text.slice(caret))?.[0] ?? "";
  // Without a closing bracket what follows is other text, and stays.
  const closed = /[}\]]$/.test(rest) ? rest.length : 0;
  const options = [...begins, ...holds].slice(0, MOST_OPTIONS);
  return options.length ? { from: caret - whole.length, to: caret + closed, options } : undefined;
}

/** The text with an option filled in, and where the caret is then. */
export function filled(text: string, { from, to }: Completion, option: string): { text: string; caret: number } {
  return { text: text.slice(0, from) + option + text.slice(to), caret: from + option.length };
}
