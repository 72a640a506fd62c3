// One of the flows, by its name.
import { Select } from "@mantine/core";

import { useRead } from "../api/hooks";

interface Props {
  value: number | undefined;
  onChange: (flow: number | undefined) => void;
}

/** The flows by id, for lists that show their names. */
export function useFlowNames(): Map<number, string> {
  const found = useRead("list_flows", { query: { per_page: 100, sort: "name" } }, { staleTime: 60_000 });
  return new Map(found.data?.data.map(({ id, name }) => [id, name]));
}

export function FlowSelect({ value, onChange }: Props) {
  const names = useFlowNames();
  const known = [...names].map(([id, name]) => ({ value: String(id), label: name }));
  // One that is not among the first hundred can still be chosen by an address.
  const data = value === undefined || names.has(value) ? known : [{ value: String(value), label: `Flow ${value}` }, ...known];
  return <Select aria-label="Flow" placeholder="All flows" searchable clearable w={220} limit={50} data={data} value={value === undefined ? null : String(value)} onChange={(flow) => onChange(flow ? Number(flow) : undefined)} />;
}
