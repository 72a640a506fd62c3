// A field for any JSON value: what is no JSON is a text, as it is typed.
import { Textarea } from "@mantine/core";
import { useEffect, useState } from "react";

interface Props {
  label: string;
  description?: string;
  required?: boolean;
  error?: string;
  disabled?: boolean;
  value: unknown;
  onChange: (value: unknown) => void;
}

const written = (value: unknown): string =>
  value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value, null, 2);

export function parse(text: string): unknown {
  if (!text.trim()) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export function JsonField({ value, onChange, ...rest }: Props) {
  const [text, setText] = useState(written(value));
  const outside = JSON.stringify(value);
  useEffect(() => {
    setText((current) => (JSON.stringify(parse(current)) === outside ? current : written(value)));
  }, [outside]);
  const change = (next: string) => {
    setText(next);
    onChange(parse(next));
  };
  return <Textarea {...rest} autosize minRows={2} maxRows={18} value={text} styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }} onChange={(event) => change(event.currentTarget.value)} />;
}
