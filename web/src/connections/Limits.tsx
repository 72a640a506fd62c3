// How fast a connection may be used, and when it rests after failures.
import { Group, NumberInput, Select, Stack, TagsInput } from "@mantine/core";

import type { Draft } from "./draft";

interface Props {
  draft: Draft;
  errors: (field: string) => string | undefined;
  onChange: (change: Partial<Draft>) => void;
}

const whole = (value: string | number) => (value === "" ? undefined : Number(value));

export function Limits({ draft, errors, onChange }: Props) {
  const { rate, circuit } = draft;
  return (
    <Stack gap="sm">
      <Group gap="xs" align="start" wrap="nowrap">
        <NumberInput label="At most" description="Requests, of all runs" min={1} allowDecimal={false} placeholder="no limit" value={rate.count ?? ""} error={errors("rate_limit.per_second") ?? errors("rate_limit.per_minute")} onChange={(count) => onChange({ rate: { ...rate, count: whole(count) } })} />
        <Select label="In a" description="As it is counted" allowDeselect={false} data={["second", "minute"]} value={rate.per} onChange={(per) => onChange({ rate: { ...rate, per: per as Draft["rate"]["per"] } })} />
        <NumberInput label="At once" description="After a quiet time" min={1} allowDecimal={false} placeholder="1" value={rate.burst ?? ""} error={errors("rate_limit.burst")} onChange={(burst) => onChange({ rate: { ...rate, burst: whole(burst) } })} />
      </Group>
      <Group gap="xs" align="start" grow>
        <NumberInput label="Rest after failures" description="In a row" min={1} allowDecimal={false} placeholder="never" value={circuit.failures ?? ""} error={errors("circuit_breaker.failures")} onChange={(failures) => onChange({ circuit: { ...circuit, failures: whole(failures) } })} />
        <NumberInput label="For seconds" description="Then one request tries it" min={1} allowDecimal={false} value={circuit.pauseSeconds} error={errors("circuit_breaker.pause_seconds")} onChange={(pause) => onChange({ circuit: { ...circuit, pauseSeconds: Number(pause) } })} />
      </Group>
      <TagsInput label="Other hosts it may reach" description="Beside that of the base URL, such as *.shop.example" value={draft.allowedHosts} error={errors("allowed_hosts")} onChange={(allowedHosts) => onChange({ allowedHosts })} />
    </Stack>
  );
}
