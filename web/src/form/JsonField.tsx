// A field for any JSON value: what is no JSON is a text, as it is typed.
import { useEffect, useState } from "react";

import { CodeField } from "./CodeField";
import { parse, written } from "./json";
import type { Labelled } from "./labelled";
import { same } from "./same";

interface Props extends Labelled {
  placeholder?: string;
  value: unknown;
  onChange: (value: unknown) => void;
}

export function JsonField({ value, onChange, ...rest }: Props) {
  const [text, setText] = useState(written(value));
  useEffect(() => {
    setText((current) => (same(parse(current), value) ? current : written(value)));
  }, [value]);
  const change = (next: string) => {
    setText(next);
    onChange(parse(next));
  };
  return <CodeField {...rest} value={text} onText={change} />;
}
