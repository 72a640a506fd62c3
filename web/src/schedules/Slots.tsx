// The slots in which a schedule did not fire, as ranges, each with its reason.
import { Anchor, Modal, Select, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useState } from "react";

import type { MissedSlots, Schedule } from "../api/contract";
import { useRead } from "../api/hooks";
import { count } from "../ui/format";
import { Empty, Failure, Loading } from "../ui/parts";
import { Records } from "../ui/Records";
import { Told } from "../ui/Told";
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
          { title: "Why", isLong: true, cell: (slots) => <Why slots={slots} /> },
        ]}
      />
    </Stack>
  );
}

/** The reason; in whole sentences when it is asked for. */
function Why({ slots }: { slots: MissedSlots }) {
  const [isOpen, { open }] = useDisclosure();
  const found = useRead("explain_slot", { path: { schedule: slots.schedule_id }, query: { at: slots.first_at } }, { enabled: isOpen });
  const about = found.data?.data;
  return (
    <>
      {REASONS[slots.reason]}{" "}
      {!isOpen && (
        <Anchor component="button" size="xs" onClick={open}>
          Explain
        </Anchor>
      )}
      {found.isLoading && <Loading rows={1} />}
      {found.error && <Failure error={found.error} />}
      {about &&
        [about.why, about.why_now, ...about.waited_for].filter(Boolean).map((sentence) => (
          <Text key={sentence} size="xs" c="dimmed">
            <Told>{sentence}</Told>
          </Text>
        ))}
    </>
  );
}

function range({ first_at, last_at }: MissedSlots, zone: string): string {
  const [first, last] = [wall(zone, Date.parse(first_at)), wall(zone, Date.parse(last_at))];
  if (first === last) return first;
  return `${first} to ${first.slice(0, 10) === last.slice(0, 10) ? last.slice(11) : last}`;
}
