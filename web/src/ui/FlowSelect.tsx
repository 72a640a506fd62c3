// One of the flows, by its name.
import { Select } from "@mantine/core";

import { useRead } from "../api/hooks";

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
  const found = useRead("list_flows", { query: { per_page: 100, sort: "name" } }, { staleTime: 60_000 });
  const known = found.data?.data.map(({ id, name }) => ({ value: String(id), label: name })) ?? [];
  // One that is not among the first hundred can still be chosen by an address.
  const chosen = useFlowNames(value === undefined ? [] : [value]);
  const isListed = value === undefined || known.some((one) => one.value === String(value));
  const data = isListed ? known : [{ value: String(value), label: chosen.get(value) ?? `Flow ${value}` }, ...known];
  return <Select aria-label="Flow" placeholder="All flows" searchable clearable w={200} limit={50} data={data} value={value === undefined ? null : String(value)} onChange={(flow) => onChange(flow ? Number(flow) : undefined)} />;
}
