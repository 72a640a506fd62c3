// How each type of step looks: its colour and its drawing.
import type { IconName } from "../ui/Icon";

interface Look {
  icon: IconName;
  tint: string;
}

const LOOKS: Record<string, Look> = {
  trigger: { icon: "run", tint: "var(--mantine-color-cyan-7)" },
  connector: { icon: "connector", tint: "var(--mantine-color-indigo-5)" },
  filter: { icon: "filter", tint: "var(--mantine-color-teal-6)" },
  map: { icon: "map", tint: "var(--mantine-color-teal-6)" },
  batch: { icon: "package", tint: "var(--mantine-color-teal-6)" },
  split: { icon: "tiles", tint: "var(--mantine-color-teal-6)" },
  route: { icon: "fork", tint: "var(--mantine-color-orange-6)" },
  branch: { icon: "comb", tint: "var(--mantine-color-orange-6)" },
  "try-catch": { icon: "shield", tint: "var(--mantine-color-orange-6)" },
  "run-flow": { icon: "flow", tint: "var(--mantine-color-indigo-5)" },
  "de-dupe": { icon: "copies", tint: "var(--mantine-color-teal-6)" },
  "manual-payload": { icon: "pencil", tint: "var(--mantine-color-teal-6)" },
  "set-variables": { icon: "braces", tint: "var(--mantine-color-lime-7)" },
  cache: { icon: "bolt", tint: "var(--mantine-color-lime-7)" },
  track: { icon: "pin", tint: "var(--mantine-color-lime-7)" },
  delay: { icon: "clock", tint: "var(--mantine-color-gray-6)" },
  notify: { icon: "bell", tint: "var(--mantine-color-grape-6)" },
  callback: { icon: "reply", tint: "var(--mantine-color-grape-6)" },
  assert: { icon: "check", tint: "var(--mantine-color-lime-7)" },
};

export const look = (microservice: string): Look =>
  LOOKS[microservice] ?? { icon: "code", tint: "var(--mantine-color-gray-6)" };

export const GROUPS: Array<[string, string[]]> = [
  ["Systems", ["connector", "run-flow", "callback", "notify"]],
  ["Records", ["filter", "map", "batch", "split", "de-dupe", "manual-payload"]],
  ["Ways", ["route", "branch", "try-catch", "delay"]],
  ["State", ["set-variables", "cache", "track", "assert"]],
];
