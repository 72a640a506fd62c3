// A day and time to choose, in the viewer's zone.
import { TextInput } from "@mantine/core";

interface Props {
  label: string;
  /** Shown in front of it. */
  word: string;
  value: string | undefined;
  onChange: (instant: string | undefined) => void;
}

export function InstantField({ label, word, value, onChange }: Props) {
  return <TextInput type="datetime-local" aria-label={label} title={label} w={205} leftSection={word} leftSectionWidth={42} styles={{ section: { fontSize: "0.75rem" } }} value={value ? wallClock(value) : ""} onChange={(event) => onChange(read(event.currentTarget.value))} />;
}

function wallClock(instant: string): string {
  const at = new Date(instant);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function read(text: string): string | undefined {
  return text ? new Date(text).toISOString() : undefined;
}
