// One of the flows, by its name.
import { Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";

import { useRead } from "../api/hooks";

const SETTLED_MS = 250;

interface Props {
  value: number | undefined;
  onChange: (flow: number | undefined) => void;
}

/** The names of these flows, for lists that show them. */
export function useFlowNames(flows: number[]): Map<number, string> {
  const ids = [...new Set(flows)].sort((a, b) => a - b).join(",");
  const found = useRead("list_flows", { query: { "filter[id]": ids, per_page: 100 } }, { staleTime: 60_000, enabled: ids !== "", placeholderData: (old) => old });
  return new Map(found.data?.data.map(({ id, name }) => [id, name]));
}

export function FlowSelect({ value, onChange }: Props) {
  const [typed, setTyped] = useState("");
  const [sought] = useDebouncedValue(typed, SETTLED_MS);
  const chosen = useFlowNames(value === undefined ? [] : [value]);
  const name = value === undefined ? undefined : (chosen.get(value) ?? `Flow ${value}`);
  // What stands in the field once a flow is chosen is its name, and not what is looked for.
  const search = sought === name ? undefined : sought || undefined;
  const found = useRead("list_flows", { query: { per_page: 50, sort: "name", "filter[search]": search } }, { staleTime: 60_000, placeholderData: (old) => old });
  const listed = found.data?.data.filter(({ id }) => id !== value).map(({ id, name: label }) => ({ value: String(id), label })) ?? [];
  const data = value === undefined || name === undefined ? listed : [{ value: String(value), label: name }, ...listed];
  return <Select aria-label="Flow" placeholder="All flows" searchable clearable w={200} nothingFoundMessage="No flow is named so" data={data} value={value === undefined ? null : String(value)} searchValue={typed} onSearchChange={setTyped} onChange={(flow) => onChange(flow ? Number(flow) : undefined)} />;
}
