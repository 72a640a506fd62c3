// The shape of a sample payload: its paths as steps name them, `*` going through lists. Pure.
export interface Branch {
  key: string;
  path: string;
  kind: "object" | "list" | "value";
  /** A value, as it is in the sample. */
  example?: string;
  children: Branch[];
}

const MOST_ITEMS = 20;
const MOST_KEYS = 200;
const MOST_DEPTH = 12;
const LONGEST = 40;

/** What is at the root of a sample: of a list that of its items, together. */
export function shapeOf(sample: unknown, depth = 0, path = ""): Branch[] {
  if (depth > MOST_DEPTH || typeof sample !== "object" || sample === null) return [];
  if (Array.isArray(sample)) return depth ? [] : shapeOf(merged(sample), depth + 1, path);
  return Object.entries(sample)
    .slice(0, MOST_KEYS)
    .map(([key, value]) => branch(key, value, join(path, escaped(key)), depth));
}

function branch(key: string, value: unknown, path: string, depth: number): Branch {
  if (Array.isArray(value)) {
    const items = merged(value);
    const under = `${path}.*`;
    const isRecords = typeof items === "object" && items !== null;
    const example = isRecords ? `[${value.length}]` : shown(value);
    return { key, path, kind: "list", example, children: isRecords ? shapeOf(items, depth + 1, under) : [] };
  }
  if (typeof value === "object" && value !== null) return { key, path, kind: "object", children: shapeOf(value, depth + 1, path) };
  return { key, path, kind: "value", example: shown(value), children: [] };
}

/** One record with the keys of all the first items; the first value of each that is there. */
function merged(items: unknown[]): unknown {
  const records = items.slice(0, MOST_ITEMS).filter((item) => typeof item === "object" && item !== null);
  if (!records.length) return items[0];
  if (records.every(Array.isArray)) return records[0];
  const all: Record<string, unknown> = {};
  for (const record of records) {
    for (const [key, value] of Object.entries(record as object)) if (all[key] === undefined || all[key] === null) all[key] = value;
  }
  return all;
}

const join = (path: string, key: string): string => (path ? `${path}.${key}` : key);
/** A key as a path names it: dots and stars in it are taken as they are. */
const escaped = (key: string): string => key.replaceAll(/[\\.*]/g, "\\$&");

function shown(value: unknown): string {
  const text = value === undefined ? "" : JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

/** All paths of a shape, each branch before what is below it. */
export function pathsOf(shape: Branch[]): string[] {
  return shape.flatMap((one) => [one.path, ...pathsOf(one.children)]);
}

/** The records that a step with a `path` works on: what stands there, of lists their items. */
export function recordsAt(sample: unknown, path: string | undefined): unknown {
  if (!path || path === ".") return sample;
  let found: unknown[] = [sample];
  for (const part of path.split(/(?<!\\)\./)) {
    found = part === "*" ? found.flat(1) : found.map((one) => (one as Record<string, unknown> | null | undefined)?.[part.replaceAll(/\\(.)/g, "$1")]);
    found = found.filter((one) => one !== undefined && one !== null);
  }
  return found.length === 1 ? found[0] : found.flat(1);
}
