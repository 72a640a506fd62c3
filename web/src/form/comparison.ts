// The value of a comparison as it is typed: JSON where it is some, a list with commas where the operator takes one. Pure.
import { parse } from "./json";

const LISTS = new Set(["in", "not_in", "between"]);
const PAIR = 2;

/** What a text means to an operator; undefined while it is not enough. */
export function readValue(operator: string, text: string): unknown {
  const value = parse(text) ?? "";
  if (!LISTS.has(operator) || Array.isArray(value) || isTemplate(text)) return value;
  const items = text.split(",").map((part) => part.trim()).filter(Boolean).map(parse);
  return operator === "between" && items.length !== PAIR ? undefined : items;
}

export function writtenValue(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value) && value.every((item) => typeof item !== "object" && !String(item).includes(","))) return value.map(writtenItem).join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A value for another operator, as near to the old one as it can be. */
export function fitting(operator: string, value: unknown): unknown {
  if (LISTS.has(operator)) return readValue(operator, writtenValue(value));
  return Array.isArray(value) ? (value[0] ?? "") : value;
}

/** A text that looks like a number or the like keeps its quotes, so that it stays a text. */
const writtenItem = (item: unknown): string => (typeof item === "string" && parse(item) === item ? item : JSON.stringify(item));

const isTemplate = (text: string): boolean => /^\s*(\{\{[^{}]+\}\}|\[\[[^[\]]+\]\])\s*$/.test(text);
