// Records to choose from in a field, by their names: the chosen one, and the first that what is typed finds.
import { keepPreviousData } from "@tanstack/react-query";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";

import { useRead } from "../api/hooks";

const SETTLED_MS = 250;

export type Choosable = "list_connections" | "list_connectors" | "list_flows" | "list_notification_groups";

/** What a searchable Select takes; `isNone` tells that there is nothing to choose from at all. */
export function useChoices(list: Choosable, value: number | undefined) {
  const [typed, setTyped] = useState("");
  const [sought] = useDebouncedValue(typed, SETTLED_MS);
  const chosen = useRead(list, { query: { "filter[id]": String(value), per_page: 1 } }, { staleTime: 60_000, enabled: value !== undefined });
  const name = value === undefined ? undefined : (chosen.data?.data[0]?.name ?? (chosen.isLoading ? "" : `No longer there (${value})`));
  // What stands in the field once one is chosen is its name, and not what is looked for.
  const search = sought === name ? undefined : sought || undefined;
  const found = useRead(list, { query: { per_page: 50, sort: "name", "filter[search]": search } }, { staleTime: 60_000, placeholderData: keepPreviousData });
  const listed = found.data?.data.filter(({ id }) => id !== value).map(({ id, name: label }) => ({ value: String(id), label })) ?? [];
  const data = value === undefined || name === undefined ? listed : [{ value: String(value), label: name }, ...listed];
  return { select: { data, searchable: true, searchValue: typed, onSearchChange: setTyped, value: value === undefined ? null : String(value) }, isNone: found.data?.meta.total === 0 && search === undefined };
}
