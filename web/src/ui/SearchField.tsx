// A text to search by, told on when it has been typed.
import { TextInput, type TextInputProps } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useEffect, useState } from "react";

import { Icon } from "./Icon";

const SETTLED_MS = 300;

interface Props extends Omit<TextInputProps, "value" | "onChange"> {
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}

export function SearchField({ value, onChange, ...input }: Props) {
  const [typed, setTyped] = useState(value ?? "");
  const tell = useDebouncedCallback((text: string) => onChange(text.trim() || undefined), SETTLED_MS);
  useEffect(() => {
    // What is typed goes ahead of the address; only an address that says something else counts.
    setTyped((old) => (old.trim() === (value ?? "") ? old : (value ?? "")));
  }, [value]);
  const change = (text: string) => {
    setTyped(text);
    tell(text);
  };
  return <TextInput leftSection={<Icon name="search" size={14} />} {...input} value={typed} onChange={(event) => change(event.currentTarget.value)} />;
}
