// One of the versions of a flow.
import { Select, type SelectProps } from "@mantine/core";

import { useRead } from "../api/hooks";

interface Props extends Omit<SelectProps, "data" | "value" | "onChange"> {
  flow: number | string;
  value: number | undefined;
  onChange: (version: number | undefined) => void;
}

export function VersionSelect({ flow, value, onChange, ...select }: Props) {
  const found = useRead("list_versions", { path: { flow }, query: { per_page: 100, sort: "-created_at" } }, { staleTime: 60_000 });
  const data = found.data?.data.map(({ id, iteration, status }) => ({ value: String(id), label: `Version ${iteration}${status === "Inactive" ? "" : `, ${status}`}` })) ?? [];
  return <Select searchable clearable limit={50} data={data} value={value === undefined ? null : String(value)} onChange={(version) => onChange(version ? Number(version) : undefined)} {...select} />;
}
