// A field of code. Its editor comes when the first of them is shown; until then there is nothing to type into, and to lose.
import { Input, Skeleton } from "@mantine/core";
import { lazy, Suspense } from "react";

import { useAround } from "./around";
import type { Labelled } from "./labelled";

const CodeEditor = lazy(async () => ({ default: (await import("./CodeEditor")).CodeEditor }));

interface Props extends Labelled {
  placeholder?: string;
  value: string;
  onText: (text: string) => void;
}

export function CodeField({ label, description, required, error, disabled, placeholder, value, onText }: Props) {
  const { known } = useAround();
  return (
    <Input.Wrapper label={label} description={description} required={required} error={error} size="xs" labelElement="div">
      <Suspense fallback={<Skeleton h={56} mt={4} />}>
        <CodeEditor label={label} value={value} readOnly={disabled} placeholder={placeholder} known={known} onText={onText} />
      </Suspense>
    </Input.Wrapper>
  );
}
