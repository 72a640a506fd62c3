// What is wrong with a form's values, told while they are typed; the server has the last word once they are saved. Pure.
import { fieldOf, label, resolve, type Schema } from "./schema";

export type Problems = Record<string, string[]>;
type Values = Record<string, unknown>;
export const REQUIRED = "This field is required.";

/** The problems of values by dotted place, as the server names them. */
export function check(schema: Schema, values: Values, root: Schema, place = ""): Problems {
  const found: Problems = {};
  for (const [name, unresolved] of Object.entries(schema.properties ?? {})) {
    const at = place ? `${place}.${name}` : name;
    const value = values[name];
    if (isAbsent(value)) {
      if (schema.required?.includes(name)) found[at] = [REQUIRED];
    } else Object.assign(found, checkValue(name, unresolved, value, root, at));
  }
  return found;
}

function checkValue(name: string, unresolved: Schema, value: unknown, root: Schema, at: string): Problems {
  const schema = resolve(unresolved, root);
  const field = fieldOf(name, unresolved, root);
  if (field.kind === "number") return say(at, ofNumber(schema, value, name));
  if (field.kind === "choice" && !field.values.includes(String(value))) return say(at, `${label(name)} is one of ${field.values.join(", ")}.`);
  if ((field.kind === "text" || field.kind === "long-text") && typeof value === "string") return say(at, ofText(schema, value, name));
  if (field.kind === "object" && isRecord(value)) return check(field.schema, value, root, at);
  if (field.kind === "variant" && isRecord(value)) {
    const chosen = field.variants.get(String(value[field.by]));
    return chosen ? check(chosen, value, root, at) : {};
  }
  if (field.kind === "list" && Array.isArray(value)) {
    return Object.assign({}, ...value.map((item, index) => (isRecord(item) ? check(field.schema, item, root, `${at}.${index}`) : {}))) as Problems;
  }
  return {};
}

function ofNumber(schema: Schema, value: unknown, name: string): string | undefined {
  if (typeof value !== "number") return `${label(name)} is a number.`;
  if (schema.type === "integer" && !Number.isInteger(value)) return `${label(name)} is a whole number.`;
  if (schema.minimum !== undefined && value < schema.minimum) return `${label(name)} is ${schema.minimum} or more.`;
  if (schema.maximum !== undefined && value > schema.maximum) return `${label(name)} is ${schema.maximum} or less.`;
  return undefined;
}

function ofText(schema: Schema, value: string, name: string): string | undefined {
  if (schema.maxLength !== undefined && value.length > schema.maxLength) return `${label(name)} has ${schema.maxLength} characters at most.`;
  return undefined;
}

/** What is wrong now: of what the server said only what the values since then have not settled. */
export function merged(local: Problems, server: Problems, values: Values): Problems {
  const standing = Object.entries(server).filter(([place, messages]) => !messages.includes(REQUIRED) || isAbsent(valueAt(values, place)));
  return { ...Object.fromEntries(standing), ...local };
}

function valueAt(values: unknown, place: string): unknown {
  return place.split(".").reduce<unknown>((at, name) => (at as Values | undefined)?.[name], values);
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null || value === "";
const isRecord = (value: unknown): value is Values => typeof value === "object" && value !== null && !Array.isArray(value);
const say = (at: string, message: string | undefined): Problems => (message ? { [at]: [message] } : {});
