// A field whose value is the id of another record: chosen by name.
import { Select } from "@mantine/core";

import { useChoices } from "../ui/choices";
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
  const { select, isNone } = useChoices(PICKERS[name as keyof typeof PICKERS], value ?? undefined);
  return <Select {...rest} {...select} required={required} clearable={!required} placeholder="None" nothingFoundMessage={isNone ? "There is none yet" : "None is named so"} onChange={(next) => onChange(next === null ? undefined : Number(next))} />;
}
