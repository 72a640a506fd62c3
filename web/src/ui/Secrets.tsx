// Secret variables: their names are shown, their values can only be set.
import { ActionIcon, Button, Group, Input, PasswordInput, Stack, TextInput } from "@mantine/core";

import { Icon } from "./Icon";

export interface Secret {
  name: string;
  value: string;
  /** It is stored, and stays when nothing is typed. */
  isKept: boolean;
}

interface Props {
  /** Where they are filled in. */
  description: string;
  secrets: Secret[];
  error?: string;
  onChange: (secrets: Secret[]) => void;
}

export function Secrets({ description, secrets, error, onChange }: Props) {
  const edit = (at: number, change: Partial<Secret>) => onChange(secrets.map((old, index) => (index === at ? { ...old, ...change } : old)));
  return (
    <Input.Wrapper label="Secret variables" description={`${description}; never shown again`} error={error} size="xs">
      <Stack gap={4} mt={4}>
        {secrets.map(({ name, value, isKept }, index) => (
          <Group key={index} gap={4} wrap="nowrap">
            <TextInput aria-label={`Secret ${index + 1}: name`} placeholder="name" value={name} readOnly={isKept} onChange={(event) => edit(index, { name: event.currentTarget.value })} />
            <PasswordInput aria-label={`Secret ${index + 1}: value`} flex={1} autoComplete="off" placeholder={isKept ? "Set; type to replace it" : "8 characters or more"} value={value} onChange={(event) => edit(index, { value: event.currentTarget.value })} />
            <ActionIcon variant="subtle" color="gray" aria-label={`Remove ${name || "secret"}`} onClick={() => onChange(secrets.filter((_, at) => at !== index))}>
              <Icon name="close" />
            </ActionIcon>
          </Group>
        ))}
        <Button variant="subtle" size="compact-xs" w="fit-content" onClick={() => onChange([...secrets, { name: "", value: "", isKept: false }])}>
          Add a secret
        </Button>
      </Stack>
    </Input.Wrapper>
  );
}

/** Those that are stored, as they are edited. */
export function kept(names: string[] | undefined): Secret[] {
  return (names ?? []).map((name) => ({ name, value: "", isKept: true }));
}

/** All of them as they are sent, where null keeps a stored value. */
export function sent(secrets: Secret[]): Record<string, string | null> {
  return Object.fromEntries(secrets.filter(({ name }) => name).map(({ name, value, isKept }) => [name, value || (isKept ? null : "")]));
}
