// The slots in which a schedule did not fire, as ranges, each with its reason.
import { Modal, Select, Stack } from "@mantine/core";
import { useState } from "react";

import type { MissedSlots, Schedule } from "../api/contract";
import { useRead } from "../api/hooks";
import { count } from "../ui/format";
import { Empty } from "../ui/parts";
import { Records } from "../ui/Records";
import { REASONS } from "./choices";
import { wall } from "./clock";

export function SlotsModal({ schedule, onClose }: { schedule: Schedule | undefined; onClose: () => void }) {
  return (
    <Modal opened={schedule !== undefined} onClose={onClose} title={`Slots of ${schedule?.cron_string ?? ""} that did not fire`} size="lg">
      {schedule && <Slots schedule={schedule} />}
    </Modal>
  );
}

function Slots({ schedule }: { schedule: Schedule }) {
  const [reason, setReason] = useState<string | null>(null);
  const [page, setPage] = useState(1);
  const found = useRead("list_slots", { path: { schedule: schedule.id }, query: { "filter[reason]": reason ?? undefined, page, per_page: 15 } });
  const narrow = (next: string | null) => {
    setReason(next);
    setPage(1);
  };
  return (
    <Stack gap="xs">
      <Select aria-label="Reason" placeholder="All reasons" clearable data={Object.entries(REASONS).map(([value, label]) => ({ value, label }))} value={reason} onChange={narrow} />
      <Records
        found={found}
        onPage={setPage}
        minWidth={440}
        empty={reason ? <Empty title="None for this reason" /> : <Empty title="It fired in all of its slots">What is left out, since a run was not finished, the server was down or the flow disabled, stands here.</Empty>}
        columns={[
          { title: "Slots", cell: (slots) => count(slots.count) },
          { title: schedule.timezone, cell: (slots) => <span className="mono">{range(slots, schedule.timezone)}</span> },
          { title: "Why", cell: (slots) => REASONS[slots.reason] },
        ]}
      />
    </Stack>
  );
}

function range({ first_at, last_at }: MissedSlots, zone: string): string {
  const [first, last] = [wall(zone, Date.parse(first_at)), wall(zone, Date.parse(last_at))];
  if (first === last) return first;
  return `${first} to ${first.slice(0, 10) === last.slice(0, 10) ? last.slice(11) : last}`;
}
