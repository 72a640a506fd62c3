// How a connection signs in, or reaches its server.
import { NumberInput, PasswordInput, Switch, Textarea, TextInput } from "@mantine/core";

import { OPTIONAL_FIELDS, SECRET_FIELDS } from "./draft";

const LABELS: Record<string, string> = { client_id: "Client ID", token_url: "Token URL", tls: "Only over TLS", host_key: "Host key", private_key: "Private key", username: "User name", file: "File" };
const HINTS: Record<string, string> = {
  host_key: "A line such as ssh-ed25519 AAAA…, or SHA256:…",
  private_key: "Without a passphrase; instead of a password",
  file: "Its name in the folder files/ of the data directory",
};

export function labelOf(field: string): string {
  return LABELS[field] ?? field.charAt(0).toUpperCase() + field.slice(1).replaceAll("_", " ");
}

interface Props {
  fields: string[];
  values: Record<string, unknown>;
  /** Its secrets are stored: left empty, they stay. */
  isSet: boolean;
  errors: (field: string) => string | undefined;
  onChange: (field: string, value: string | number | boolean | undefined) => void;
}

export function Fields({ fields, values, isSet, errors, onChange }: Props) {
  return fields.map((field) => {
    const isSecret = SECRET_FIELDS.has(field);
    const common = {
      label: labelOf(field),
      description: HINTS[field],
      required: !OPTIONAL_FIELDS.has(field) && !(isSecret && isSet),
      placeholder: isSecret && isSet ? "Set; type to replace it" : undefined,
      error: errors(field),
      autoComplete: "off",
    };
    const value = String(values[field] ?? "");
    if (field === "tls") return <Switch key={field} label={common.label} checked={values[field] === true} onChange={(event) => onChange(field, event.currentTarget.checked)} />;
    if (field === "port") return <NumberInput key={field} {...common} min={1} max={65_535} allowDecimal={false} value={typeof values[field] === "number" ? values[field] : ""} onChange={(port) => onChange(field, port === "" ? undefined : Number(port))} />;
    if (field === "private_key") return <Textarea key={field} {...common} autosize minRows={2} maxRows={8} value={value} onChange={(event) => onChange(field, event.currentTarget.value)} />;
    const Input = isSecret ? PasswordInput : TextInput;
    return <Input key={field} {...common} value={value} onChange={(event) => onChange(field, event.currentTarget.value)} />;
  });
}
