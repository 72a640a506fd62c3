// Reading a JSON Schema as a form: what kind of field each property is. Pure.
import type { Transform } from "./rules";

export interface Schema {
  type?: string;
  title?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  discriminator?: { propertyName: string };
  $ref?: string;
  $defs?: Record<string, Schema>;
  "x-template"?: boolean;
  "x-operators"?: string[];
  "x-transforms"?: Transform[];
}

export type Field =
  | { kind: "text" | "long-text" | "boolean" | "json" | "texts" | "map" }
  | { kind: "number"; whole: boolean; minimum?: number; maximum?: number }
  | { kind: "choice"; values: string[] }
  | { kind: "condition"; operators: string[] }
  | { kind: "rules"; transforms: Transform[] }
  | { kind: "object"; schema: Schema }
  | { kind: "list"; schema: Schema }
  | { kind: "variant"; by: string; variants: Map<string, Schema> };

const LONG = new Set(["statement", "text", "body"]);

/** What a schema stands for, with its reference followed and "or null" taken off. */
export function resolve(schema: Schema, root: Schema): Schema {
  if (schema.$ref) {
    const found = root.$defs?.[schema.$ref.replace("#/$defs/", "")] ?? {};
    return resolve({ ...found, ...withoutRef(schema) }, root);
  }
  const choices = schema.anyOf?.filter((one) => one.type !== "null");
  if (choices?.length === 1 && choices[0]) return resolve({ ...withoutAny(schema), ...choices[0] }, root);
  return schema;
}

function withoutRef({ $ref: _, ...rest }: Schema): Schema {
  return rest;
}

function withoutAny({ anyOf: _, ...rest }: Schema): Schema {
  return rest;
}

export function fieldOf(name: string, unresolved: Schema, root: Schema): Field {
  const schema = resolve(unresolved, root);
  if (schema["x-operators"]) return { kind: "condition", operators: schema["x-operators"] };
  if (schema.enum) return { kind: "choice", values: schema.enum.map(String) };
  if (schema.oneOf && schema.discriminator) {
    const by = schema.discriminator.propertyName;
    const named = schema.oneOf.map((one) => resolve(one, root));
    return { kind: "variant", by, variants: new Map(named.map((one) => [String(one.properties?.[by]?.const), one])) };
  }
  switch (schema.type) {
    case "boolean":
      return { kind: "boolean" };
    case "integer":
    case "number":
      return { kind: "number", whole: schema.type === "integer", minimum: schema.minimum, maximum: schema.maximum };
    case "string":
      return { kind: LONG.has(name) ? "long-text" : "text" };
    case "array":
      return listOf(schema, root);
    case "object":
      return schema.properties ? { kind: "object", schema } : { kind: "map" };
    default:
      return { kind: "json" };
  }
}

function listOf(schema: Schema, root: Schema): Field {
  const items = resolve(schema.items ?? {}, root);
  const transforms = items.properties?.transforms?.["x-transforms"];
  if (transforms) return { kind: "rules", transforms };
  if (items.properties) return { kind: "list", schema: items };
  return { kind: items.type === "string" ? "texts" : "json" };
}

/** `timeout_seconds` as "Timeout seconds". */
const SHORT = /\b(api|csv|http|id|json|sftp|sql|tls|ttl|url|xml)\b/g;

/** A field as one reads it; one that holds the id of a record is called as the record. */
export function label(name: string): string {
  const words = name.replace(/_id$/, "").replaceAll("_", " ").replace(SHORT, (short) => short.toUpperCase());
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The problems at a place and below it, by the rest of the way; "" is the place itself. */
export function under(problems: Record<string, string[]>, name: string): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const [place, messages] of Object.entries(problems)) {
    if (place === name) found[""] = messages;
    else if (place.startsWith(`${name}.`)) found[place.slice(name.length + 1)] = messages;
  }
  return found;
}
