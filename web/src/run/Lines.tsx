// The log of a run, or of one of its steps.
import { Table, Text } from "@mantine/core";

import { useRead } from "../api/hooks";
import { Failure, Instant, Loading } from "../ui/parts";

const COLORS: Record<string, string> = { error: "red", warning: "orange" };

export function Lines({ run, step }: { run: number; step?: string }) {
  const found = useRead("list_run_logs", { path: { flow_run: run }, query: { "filter[step_key]": step, per_page: 100 } });
  if (found.error) return <Failure error={found.error} />;
  if (!found.data) return <Loading rows={3} />;
  if (!found.data.data.length) return <Text size="sm" c="dimmed">Nothing was logged.</Text>;
  return (
    <Table fz="xs">
      <Table.Tbody>
        {found.data.data.map((line) => (
          <Table.Tr key={line.id}>
            <Table.Td c="dimmed" style={{ whiteSpace: "nowrap" }}>
              <Instant at={line.created_at} />
            </Table.Td>
            <Table.Td c={COLORS[line.level]}>{line.level}</Table.Td>
            {!step && <Table.Td c="dimmed">{line.step_key}</Table.Td>}
            <Table.Td style={{ overflowWrap: "anywhere" }}>{line.message}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
