// All that the command palette can do: pages, actions, flows by name, runs by number.
import { type MantineColorScheme, useMantineColorScheme } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";

import { useRead } from "../api/hooks";
import { useMe } from "../ui/me";
import { seen } from "../ui/places";
import { useSignOut } from "../ui/signOut";
import { type Entry, fitting, runOf } from "./entries";

const SCHEMES: Array<[MantineColorScheme, string, Entry["icon"]]> = [
  ["light", "Light appearance", "sun"],
  ["dark", "Dark appearance", "moon"],
  ["auto", "Appearance as the system", "screen"],
];

export function useEntries(typed: string, showHelp: () => void): Entry[] {
  const pages = usePages();
  const actions = useActions(showHelp);
  const flows = useFlows(typed);
  const runs = useRuns(typed);
  return [...runs, ...fitting([...pages, ...actions], typed), ...flows];
}

function usePages(): Entry[] {
  const navigate = useNavigate();
  const { may } = useMe();
  return seen(may).map(({ to, label, icon }) => ({ id: to, label, icon, kind: "Page", go: () => void navigate({ to }) }));
}

function useActions(showHelp: () => void): Entry[] {
  const navigate = useNavigate();
  const { may } = useMe();
  const { setColorScheme } = useMantineColorScheme();
  const signOut = useSignOut();
  const action = (label: string, icon: Entry["icon"], go: () => void): Entry => ({ id: label, label, icon, kind: "Action", go });
  const making = [
    action("New flow", "plus", () => void navigate({ to: "/flows", search: { make: "new" } })),
    action("Import a flow", "take", () => void navigate({ to: "/flows", search: { make: "import" } })),
  ];
  return [
    ...(may("manager") ? making : []),
    action("Keyboard shortcuts", "keyboard", showHelp),
    ...SCHEMES.map(([scheme, label, icon]) => action(label, icon, () => setColorScheme(scheme))),
    action("Sign out", "leave", () => void signOut()),
  ];
}

function useFlows(typed: string): Entry[] {
  const navigate = useNavigate();
  const [asked] = useDebouncedValue(typed, 120);
  const found = useRead("list_flows", { query: { "filter[search]": asked, per_page: 8, sort: "name" } }, { enabled: asked !== "", placeholderData: (old) => old });
  if (!typed) return [];
  const entries = (found.data?.data ?? []).map<Entry>(({ id, name }) => ({
    id: `flow ${id}`,
    label: name,
    kind: "Flow",
    icon: "flow",
    go: () => void navigate({ to: "/flows/$flow/canvas", params: { flow: String(id) } }),
  }));
  // The answer may be that to what was typed a moment ago.
  return fitting(entries, typed);
}

function useRuns(typed: string): Entry[] {
  const navigate = useNavigate();
  const run = runOf(typed);
  if (run === undefined) return [];
  return [{ id: `run ${run}`, label: `Run ${run}`, kind: "Run", icon: "run", go: () => void navigate({ to: "/runs/$run", params: { run: String(run) } }) }];
}
