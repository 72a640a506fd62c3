// JSON as it is written in a field: what is no JSON is a text, as it is typed. Pure.
export const written = (value: unknown): string => (value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value, null, 2));

export function parse(text: string): unknown {
  if (!text.trim()) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Whether a text means to be JSON: it begins as an object or a list, and not with a placeholder. */
export function isWrittenAsJson(text: string): boolean {
  const begun = text.trimStart();
  return begun.startsWith("{") ? !begun.startsWith("{{") : begun.startsWith("[") && !/^\[\[[A-Za-z_]/.test(begun);
}
