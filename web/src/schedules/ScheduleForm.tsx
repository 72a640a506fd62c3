// The form of a schedule of a draft.
import { NumberInput, Select, SimpleGrid, Stack } from "@mantine/core";
import { type FormEvent, useState } from "react";

import type { Schedule, ScheduleCreate } from "../api/contract";
import { useChange } from "../api/hooks";
import { FormButtons } from "../ui/FormButtons";
import { Failure } from "../ui/parts";
import { CATCH_UP, DST_GAP, DST_REPEAT, HERE, OVERLAP, ZONES } from "./choices";
import { parse } from "./cron";
import { CronField } from "./CronField";
import { Preview } from "./Preview";

const NEW: ScheduleCreate = { cron_string: "0 6 * * 1-5", timezone: HERE, overlap: "queue", catch_up: "latest", jitter_seconds: 0, dst_gap: "next", dst_repeat: "first" };

interface Props {
  version: number;
  schedule?: Schedule;
  onDone: () => void;
}

export function ScheduleForm({ version, schedule, onDone }: Props) {
  const [fields, setFields] = useState<ScheduleCreate>(() => (schedule ? given(schedule) : NEW));
  const set = (change: Partial<ScheduleCreate>) => setFields((old) => ({ ...old, ...change }));
  const create = useChange("create_schedule", { onSuccess: onDone });
  const update = useChange("update_schedule", { onSuccess: onDone });
  const error = create.error ?? update.error;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (schedule) update.mutate({ path: { flow_version: version, schedule: schedule.id }, body: fields });
    else create.mutate({ path: { flow_version: version }, body: fields });
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <CronField fields={fields} error={error?.errors.cron_string?.join(" ")} onChange={(cron) => set({ cron_string: cron })} />
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
          <Select label="Zone" searchable allowDeselect={false} data={ZONES} value={fields.timezone ?? "UTC"} onChange={(zone) => set({ timezone: zone ?? "UTC" })} />
          <NumberInput label="Spread, in seconds" min={0} max={3600} clampBehavior="strict" allowDecimal={false} value={fields.jitter_seconds ?? 0} onChange={(seconds) => set({ jitter_seconds: Number(seconds) })} />
          <Select label="When one is still running" allowDeselect={false} data={OVERLAP} value={fields.overlap} onChange={(overlap) => set({ overlap })} />
          <Select label="After a standstill" allowDeselect={false} data={CATCH_UP} value={fields.catch_up} onChange={(catchUp) => set({ catch_up: catchUp })} />
          <Select label="A time that the clock change leaves out" allowDeselect={false} data={DST_GAP} value={fields.dst_gap} onChange={(gap) => set({ dst_gap: gap })} />
          <Select label="A time that comes twice" allowDeselect={false} data={DST_REPEAT} value={fields.dst_repeat} onChange={(repeat) => set({ dst_repeat: repeat })} />
        </SimpleGrid>
        <Preview fields={fields} />
        {error && !error.errors.cron_string && <Failure error={error} />}
        <FormButtons saving={create.isPending || update.isPending} disabled={!parse(fields.cron_string)} onCancel={onDone} />
      </Stack>
    </form>
  );
}

function given({ cron_string, timezone, overlap, catch_up, jitter_seconds, dst_gap, dst_repeat }: Schedule): ScheduleCreate {
  return { cron_string, timezone, overlap, catch_up, jitter_seconds, dst_gap, dst_repeat } as ScheduleCreate;
}
