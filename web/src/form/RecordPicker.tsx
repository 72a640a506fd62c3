// A field whose value is the id of another record: chosen by name.
import { Select } from "@mantine/core";

import { useRead } from "../api/hooks";
import type { Labelled } from "./labelled";

export const PICKERS = {
  connection_id: "list_connections",
  flow_id: "list_flows",
  group_id: "list_notification_groups",
  notification_group_id: "list_notification_groups",
} as const;

interface Props extends Labelled {
  name: string;
  value: number | undefined;
  onChange: (value: number | undefined) => void;
}

export function RecordPicker({ name, value, onChange, required, ...rest }: Props) {
  const listed = useRead(PICKERS[name as keyof typeof PICKERS], { query: { per_page: 100 } });
  const records = listed.data?.data ?? [];
  return (
    <Select {...rest} required={required} searchable clearable={!required} placeholder="None" nothingFoundMessage="There is none yet" data={records.map((record) => ({ value: String(record.id), label: `${record.name} (${record.id})` }))} value={value === undefined || value === null ? null : String(value)} onChange={(next) => onChange(next === null ? undefined : Number(next))} />
  );
}
