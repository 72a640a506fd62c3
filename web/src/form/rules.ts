// The rules of a map: what each takes from where, and the tree of targets that they make. Pure.
export interface TransformUse {
  name?: string;
  [argument: string]: unknown;
}

export interface Rule {
  target?: string;
  source?: string;
  value?: unknown;
  template?: unknown;
  variable?: string;
  transforms?: TransformUse[];
}

export type Origin = "source" | "template" | "variable" | "value";
export const ORIGINS: Record<Origin, string> = { source: "Field of the payload", template: "Text with templates", variable: "Variable", value: "Constant" };

export interface Argument {
  name: string;
  kind: "text" | "integer" | "number" | "path" | "zone" | "list" | "object" | "any";
  required: boolean;
  default?: unknown;
  choices?: string[];
}

export interface Transform {
  name: string;
  help: string;
  arguments: Argument[];
}

export function originOf(rule: Rule): Origin {
  if (rule.source !== undefined) return "source";
  if (rule.variable !== undefined) return "variable";
  if (rule.template !== undefined) return "template";
  return "value" in rule ? "value" : "source";
}

/** The rule with another origin; what it took before is left out, since a rule has just one. */
export function withOrigin(rule: Rule, origin: Origin, value?: unknown): Rule {
  const { source: _s, value: _v, template: _t, variable: _n, ...rest } = rule;
  const given = value ?? (origin === "value" ? null : "");
  return { ...rest, [origin]: given };
}

/** Whether a rule says what it takes. */
export const hasOrigin = (rule: Rule): boolean => (Object.keys(ORIGINS) as Origin[]).some((origin) => origin in rule);

/** The rule without what is empty: that is missing yet, which a draft may be, and not wrong. */
export function withoutEmpty({ target, source, variable, ...rest }: Rule): Rule {
  const transforms = rest.transforms?.map(({ name, ...given }) => (name ? { name, ...given } : given));
  return { ...(target && { target }), ...(source && { source }), ...(variable && { variable }), ...rest, ...(transforms && { transforms }) };
}

/** A rule that puts a field where it stands in the record. */
export const ruleFor = (path: string, under = ""): Rule => ({ target: under ? `${under}.${path.split(".").at(-1)}` : path, source: path });

/** What a rule takes, in one line. */
export function told(rule: Rule): string {
  const origin = originOf(rule);
  const given = rule[origin];
  const taken = origin === "variable" ? `{{${String(given)}}}` : origin === "source" ? (given ? String(given) : "…") : typeof given === "string" && origin === "template" ? given : JSON.stringify(given ?? null);
  return [taken, ...(rule.transforms ?? []).map((one) => one.name || "…")].join(" › ");
}

export interface TargetBranch {
  key: string;
  path: string;
  /** The rules that put something just here, by number; a later one wins. */
  rules: number[];
  children: TargetBranch[];
}

/** The object that the rules make, as a tree; rules without a target yet come last. */
export function targetsOf(rules: Rule[]): TargetBranch[] {
  const root: TargetBranch = { key: "", path: "", rules: [], children: [] };
  for (const [number, { target = "" }] of rules.entries()) {
    let at = root;
    for (const key of target.split(/(?<!\\)\./)) {
      let next = at.children.find((one) => one.key === key);
      if (!next) at.children.push((next = { key, path: at.path ? `${at.path}.${key}` : key, rules: [], children: [] }));
      at = next;
    }
    at.rules.push(number);
  }
  const isNamed = (one: TargetBranch) => one.key !== "";
  return [...root.children.filter(isNamed), ...root.children.filter((one) => !isNamed(one))];
}

/** Whether all that is needed to try the rules is there. */
export function areComplete(rules: Rule[], transforms: Transform[]): boolean {
  const has = (use: TransformUse) => transforms.find((one) => one.name === use.name)?.arguments.every((argument) => !argument.required || (use[argument.name] !== undefined && use[argument.name] !== ""));
  return rules.length > 0 && rules.every((rule) => rule.target && (originOf(rule) === "value" || rule[originOf(rule)]) && (rule.transforms ?? []).every(has));
}
