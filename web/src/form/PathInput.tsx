// A path into the records that a step works on, completed from a sample of them.
import { Autocomplete, type AutocompleteProps } from "@mantine/core";

import { useAround } from "./around";

interface Props extends Omit<AutocompleteProps, "data" | "onChange"> {
  value: string;
  onText: (text: string) => void;
}

export function PathInput({ onText, ...rest }: Props) {
  const { recordPaths } = useAround();
  return <Autocomplete {...rest} size="xs" limit={50} autoComplete="off" data={[...new Set(recordPaths)]} onChange={onText} comboboxProps={{ withinPortal: true, position: "bottom-start", width: "max-content" }} />;
}
