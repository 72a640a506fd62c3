// One of the flows, by its name.
import { Select } from "@mantine/core";
import { keepPreviousData } from "@tanstack/react-query";

import { useRead } from "../api/hooks";
import { useChoices } from "./choices";

interface Props {
  value: number | undefined;
  onChange: (flow: number | undefined) => void;
}

/** The names of these flows, for lists that show them. */
export function useFlowNames(flows: number[]): Map<number, string> {
  const ids = [...new Set(flows)].sort((a, b) => a - b).join(",");
  const found = useRead("list_flows", { query: { "filter[id]": ids, per_page: 100 } }, { staleTime: 60_000, enabled: ids !== "", placeholderData: keepPreviousData });
  return new Map(found.data?.data.map(({ id, name }) => [id, name]));
}

export function FlowSelect({ value, onChange }: Props) {
  const { select } = useChoices("list_flows", value);
  return <Select {...select} aria-label="Flow" placeholder="All flows" clearable w={200} nothingFoundMessage="No flow is named so" onChange={(flow) => onChange(flow ? Number(flow) : undefined)} />;
}
