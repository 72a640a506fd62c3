// A cron expression to write, with what it means in words, what it may not mean, and what clock changes do to it.
import { Alert, Anchor, Group, List, Stack, Text, TextInput } from "@mantine/core";

import type { ScheduleCreate } from "../api/contract";
import { COMMON } from "./choices";
import { type Struck, struck } from "./clock";
import { type Cron, parse } from "./cron";
import { traps } from "./traps";
import { and, describe } from "./words";

const UNREAD = "Five fields with a space between them, such as 30 2 * * 1-5";

interface Props {
  fields: ScheduleCreate;
  error: string | undefined;
  onChange: (cron: string) => void;
}

export function CronField({ fields, error, onChange }: Props) {
  const cron = parse(fields.cron_string);
  return (
    <Stack gap={6}>
      <TextInput
        label="When"
        description="Minute, hour, day of the month, month, day of the week"
        required
        data-autofocus
        value={fields.cron_string}
        error={error ?? (cron || !fields.cron_string.trim() ? undefined : UNREAD)}
        onChange={(event) => onChange(event.currentTarget.value)}
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
      />
      <Group gap="sm" aria-label="Common times" role="group">
        {COMMON.map(({ value, label }) => (
          <Anchor key={value} component="button" type="button" size="xs" onClick={() => onChange(value)}>
            {label}
          </Anchor>
        ))}
      </Group>
      <Text size="sm" fw={600} role="status">
        {cron && describe(cron)}
      </Text>
      {cron && <Warnings cron={cron} fields={fields} />}
    </Stack>
  );
}

function Warnings({ cron, fields }: { cron: Cron; fields: ScheduleCreate }) {
  const found = [...traps(cron), ...struck(cron, fields.timezone ?? "UTC", Date.now()).map((one) => sentence(one, fields))];
  if (!found.length) return null;
  return (
    <Alert color="orange" p="xs" title="Is it what you mean?">
      <List size="xs" spacing={2}>
        {found.map((one) => (
          <List.Item key={one}>{one}</List.Item>
        ))}
      </List>
    </Alert>
  );
}

const MOST_TIMES = 4;

function sentence({ kind, day, times, from, to }: Struck, { dst_gap, dst_repeat }: ScheduleCreate): string {
  const date = new Date(`${day}T00:00Z`).toLocaleDateString(undefined, { dateStyle: "medium", timeZone: "UTC" });
  const struckTimes = times.length > MOST_TIMES ? `${times[0]} to ${times.at(-1)}` : and(times);
  if (kind === "gap") {
    return `On ${date} the clock goes from ${from} to ${to}, so there is no ${struckTimes}: ${dst_gap === "skip" ? "it does not run then" : `it runs at ${to} instead`}.`;
  }
  const which = { first: "the first time", second: "the second time", both: "both times" }[dst_repeat ?? "first"];
  return `On ${date} the clock goes back from ${from} to ${to}, so ${struckTimes} comes twice: it runs ${which}.`;
}
