// What is different between two values, place by place; lists are aligned first, so that one more item is one change. Pure.
export interface FieldChange {
  field: string;
  before: unknown;
  after: unknown;
}

type Tree = Record<string, unknown>;
const MOST_ITEMS = 500;

export function differences(before: Tree, after: Tree): FieldChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name) => between(name, before[name], after[name]));
}

function between(field: string, before: unknown, after: unknown): FieldChange[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (isTree(before) && isTree(after)) return differences(before, after).map((one) => ({ ...one, field: `${field}.${one.field}` }));
  if (Array.isArray(before) && Array.isArray(after)) return betweenLists(field, before, after);
  return [{ field, before, after }];
}

const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null && !Array.isArray(value);

function betweenLists(field: string, before: unknown[], after: unknown[]): FieldChange[] {
  return align(before.map(written), after.map(written)).flatMap(([old, now]) => {
    const number = `${field}.${(now ?? old ?? 0) + 1}`;
    return between(number, old === undefined ? undefined : before[old], now === undefined ? undefined : after[now]);
  });
}

const written = (value: unknown) => JSON.stringify(value);

/** The items of two lists in pairs of indexes: equal ones with each other, and what changed between them in its order. */
export function align(before: string[], after: string[]): Array<[number | undefined, number | undefined]> {
  const found: Array<[number | undefined, number | undefined]> = [];
  let [old, now] = [0, 0];
  for (const [i, j] of [...common(before, after), [before.length, after.length] as const]) {
    while (old < i || now < j) found.push([old < i ? old++ : undefined, now < j ? now++ : undefined]);
    if (i < before.length && j < after.length) found.push([old++, now++]);
  }
  return found;
}

/** The indexes of the longest common subsequence; of very long lists only of their common beginning. */
function common(before: string[], after: string[]): Array<[number, number]> {
  const [rows, columns] = [before.length, after.length];
  if (rows * columns > MOST_ITEMS * MOST_ITEMS) return beginning(before, after);
  const lengths = Array.from({ length: rows + 1 }, () => new Uint16Array(columns + 1));
  const length = (i: number, j: number) => lengths[i]?.[j] ?? 0;
  for (let i = rows - 1; i >= 0; i--) {
    const row = lengths[i] as Uint16Array;
    for (let j = columns - 1; j >= 0; j--) row[j] = before[i] === after[j] ? length(i + 1, j + 1) + 1 : Math.max(length(i + 1, j), length(i, j + 1));
  }
  const found: Array<[number, number]> = [];
  for (let i = 0, j = 0; i < rows && j < columns; ) {
    if (before[i] === after[j]) found.push([i++, j++]);
    else if (length(i + 1, j) >= length(i, j + 1)) i++;
    else j++;
  }
  return found;
}

function beginning(before: string[], after: string[]): Array<[number, number]> {
  const end = before.findIndex((item, index) => item !== after[index]);
  return Array.from({ length: end < 0 ? before.length : end }, (_, index) => [index, index]);
}

export interface LineChange {
  kind: "same" | "before" | "after";
  text: string;
}

/** Two texts line by line. */
export function lines(before: string, after: string): LineChange[] {
  const [old, now] = [before.split("\n"), after.split("\n")];
  return align(old, now).flatMap(([i, j]): LineChange[] => {
    if (i !== undefined && j !== undefined && old[i] === now[j]) return [{ kind: "same", text: now[j] ?? "" }];
    return [...(i === undefined ? [] : [{ kind: "before", text: old[i] ?? "" } as const]), ...(j === undefined ? [] : [{ kind: "after", text: now[j] ?? "" } as const])];
  });
}
