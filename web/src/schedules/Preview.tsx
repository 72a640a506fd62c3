// The next ten times of a schedule, in its own zone and in the viewer's.
import { Stack, Table, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";

import type { ScheduleCreate } from "../api/contract";
import { useRead } from "../api/hooks";
import { Instant } from "../ui/parts";
import { HERE, NOTES } from "./choices";
import { wall } from "./clock";
import { parse } from "./cron";

export function Preview({ fields }: { fields: ScheduleCreate }) {
  const [settled] = useDebouncedValue(fields, 250);
  const isReadable = parse(settled.cron_string) !== undefined;
  const preview = useRead("preview_schedule", { body: { ...settled, count: 10 } }, { placeholderData: (old) => old, enabled: isReadable });
  const isElsewhere = (fields.timezone ?? "UTC") !== HERE;
  if (!isReadable) return null;
  if (preview.error) {
    return (
      <Text size="sm" c="red" role="alert">
        {preview.error.message}
      </Text>
    );
  }
  return (
    <Stack gap={2}>
      <Text size="xs" fw={600}>
        The next ten times
      </Text>
      <Table.ScrollContainer minWidth={440}>
        <Table fz="xs" verticalSpacing={2} aria-label="The next ten times">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{fields.timezone ?? "UTC"}</Table.Th>
              {isElsewhere && <Table.Th>Your time</Table.Th>}
              <Table.Th>From now</Table.Th>
              <Table.Th aria-label="Note" />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {preview.data?.data.map((slot) => (
              <Table.Tr key={slot.at}>
                <Table.Td className="mono">
                  {slot.local.slice(0, 16).replace("T", " ")}{" "}
                  <Text span c="dimmed" inherit>
                    {slot.offset}
                  </Text>
                </Table.Td>
                {isElsewhere && <Table.Td className="mono">{wall(HERE, Date.parse(slot.at))}</Table.Td>}
                <Table.Td c="dimmed">
                  <Instant at={slot.at} />
                </Table.Td>
                <Table.Td c="orange">{slot.note && (NOTES[slot.note] ?? slot.note)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Stack>
  );
}
