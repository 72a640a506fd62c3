// What may stand in the address of a page, read as it may come from anywhere: a value that makes no sense is left out. Pure.
export type Search = Record<string, unknown>;

export const text = (value: unknown): string | undefined => (typeof value === "string" && value ? value : undefined);
/** A text that an address may hold as a number. */
export const word = (value: unknown): string | undefined => text(String(value ?? ""));
export const number = (value: unknown): number | undefined => (Number(value) > 0 ? Number(value) : undefined);
const instant = (value: unknown): string | undefined => (Number.isNaN(Date.parse(String(value))) ? undefined : text(value));

export const one = <T extends string>(allowed: readonly T[], value: unknown): T | undefined => allowed.find((known) => known === value);

/** An address names only what is set in it. */
export const compact = <T extends object>(search: T): Partial<T> =>
  Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as Partial<T>;

/** A page of those with this in their name. */
export const named = ({ page, search }: Search) => compact({ page: number(page), search: word(search) });

export const paged = ({ page }: Search) => compact({ page: number(page) });

/** Which runs a list shows; `from` and `to` are when they began, and `value` is one that they tracked. */
export const runs = ({ page, flow, version, schedule, status, trigger, from, to, warnings, value }: Search) =>
  compact({
    page: number(page),
    flow: number(flow),
    version: number(version),
    schedule: number(schedule),
    status: word(status),
    trigger: text(trigger),
    from: instant(from),
    to: instant(to),
    warnings: warnings === true || undefined,
    value: word(value),
  });

/** Which dead letters a list shows; `from` and `to` are when they failed. */
export const letters = ({ page, flow, state, step, reason, from, to }: Search) =>
  compact({ page: number(page), flow: number(flow), state: text(state), step: word(step), reason: text(reason), from: instant(from), to: instant(to) });

export type RunSearch = ReturnType<typeof runs>;
export type LetterSearch = ReturnType<typeof letters>;
