// Conditions and map rules as one reads them, instead of as they are kept: `total greater 100 and country in DE, FR`. Pure.
import { originOf, type Rule, type TransformUse } from "../form/rules";

type Tree = Record<string, unknown>;
type Joined = "all" | "any" | "not";

const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null && !Array.isArray(value);
const JOINED: Joined[] = ["all", "any", "not"];
const joinedBy = (value: Tree): Joined | undefined => JOINED.find((one) => one in value && Object.keys(value).length === 1);
// What somebody sends as it is, however it looks.
const AS_IT_IS = new Set(["body", "value", "template"]);

/** What is set of a step, with its conditions and rules in words. */
export function worded(config: Tree): Tree {
  return Object.fromEntries(Object.entries(config).map(([name, value]) => [name, AS_IT_IS.has(name) ? value : wordedValue(value)]));
}

function wordedValue(value: unknown): unknown {
  if (isCondition(value)) return condition(value);
  if (Array.isArray(value)) return value.length > 0 && value.every(isRule) ? rules(value) : value.map(wordedValue);
  return isTree(value) ? worded(value) : value;
}

const isCondition = (value: unknown): value is Tree => isTree(value) && (typeof value.operator === "string" || (joinedBy(value) !== undefined && inside(value).every(isCondition)));

function inside(value: Tree): unknown[] {
  const held = value[joinedBy(value) ?? "all"];
  return Array.isArray(held) ? held : [held];
}

export function condition(value: Tree): string {
  const joined = joinedBy(value);
  if (!joined) return comparison(value);
  const parts = inside(value).map((one) => nested(one as Tree, joined));
  if (joined === "not") return `not ${parts.length > 1 ? `(${parts.join(" or ")})` : parts[0]}`;
  return parts.join(joined === "all" ? " and " : " or ");
}

/** In brackets where the words would be read otherwise. */
function nested(value: Tree, within: Joined): string {
  const joined = joinedBy(value);
  const isPlain = !joined || joined === "not" || joined === within || inside(value).length < 2;
  return isPlain ? condition(value) : `(${condition(value)})`;
}

function comparison({ field, operator, value, ...rest }: Tree): string {
  const more = Object.entries(rest).map(([name, one]) => `, ${name.replaceAll("_", " ")} ${shown(one)}`);
  const given = value === undefined ? "" : ` ${Array.isArray(value) ? value.map(shown).join(", ") : shown(value)}`;
  return `${field ? String(field) : "the record"} ${String(operator).replaceAll("_", " ")}${given}${more.join("")}`;
}

/** One word stands as it is; what could be taken for something else keeps its quotes. */
function shown(value: unknown): string {
  return typeof value === "string" && /^[^\s",()]+$/.test(value) && Number.isNaN(Number(value)) && !["true", "false", "null"].includes(value) ? value : JSON.stringify(value);
}

const isRule = (value: unknown): value is Rule & { target: string } => isTree(value) && typeof value.target === "string";

/** What each target takes; of several rules for one target the later ones are numbered. */
function rules(list: Array<Rule & { target: string }>): Tree {
  const found: Tree = {};
  for (const rule of list) {
    const same = Object.keys(found).filter((name) => name === rule.target || name.startsWith(`${rule.target} (`)).length;
    found[same ? `${rule.target} (${same + 1})` : rule.target] = taken(rule);
  }
  return found;
}

function taken(rule: Rule): string {
  const origin = originOf(rule);
  const given = rule[origin];
  const from = { source: String(given), variable: `{{${String(given)}}}`, template: `text ${JSON.stringify(given)}`, value: `constant ${JSON.stringify(given ?? null)}` }[origin];
  return [given === undefined && origin === "source" ? "nothing yet" : from, ...(rule.transforms ?? []).map(use)].join(" › ");
}

function use({ name, ...given }: TransformUse): string {
  const written = Object.entries(given).map(([argument, value]) => `${argument.replaceAll("_", " ")} ${shown(value)}`);
  return written.length ? `${name} (${written.join(", ")})` : String(name);
}
