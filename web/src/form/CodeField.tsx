// A field of code: a plain one until the editor is there, which comes when the first of them is shown.
import { Input, Textarea } from "@mantine/core";
import { lazy, Suspense } from "react";

import { useAround } from "./around";

const CodeEditor = lazy(async () => ({ default: (await import("./CodeEditor")).CodeEditor }));

interface Props {
  label: string;
  description?: string;
  required?: boolean;
  error?: string;
  disabled?: boolean;
  placeholder?: string;
  value: string;
  onText: (text: string) => void;
}

export function CodeField({ label, description, required, error, disabled, placeholder, value, onText }: Props) {
  const { known } = useAround();
  return (
    <Input.Wrapper label={label} description={description} required={required} error={error} size="xs" labelElement="div">
      <Suspense fallback={<Textarea aria-label={label} autosize minRows={3} maxRows={18} value={value} disabled={disabled} onChange={(event) => onText(event.currentTarget.value)} />}>
        <CodeEditor label={label} value={value} readOnly={disabled} placeholder={placeholder} known={known} onText={onText} />
      </Suspense>
    </Input.Wrapper>
  );
}
