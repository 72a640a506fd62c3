// The log of a run, or of one of its steps, which are named as they were in that run.
import { Table, Text } from "@mantine/core";
import { useState } from "react";

import type { Run } from "../api/contract";
import { usePage, useRead } from "../api/hooks";
import { Pager } from "../ui/Pager";
import { Failure, Instant, Loading } from "../ui/parts";
import { every } from "./live";

const COLORS: Record<string, string> = { error: "red", warning: "orange" };

export function Lines({ run, step }: { run: Run; step?: string }) {
  const path = { flow_run: run.id };
  const steps = useRead("list_run_steps", { path });
  const names = new Map(steps.data?.data.map(({ key, name }) => [key, name]));
  const [page, setPage] = useState(1);
  const found = usePage("list_run_logs", { path, query: { "filter[step_key]": step, page, per_page: 100 } }, { refetchInterval: every(run) });
  if (found.error) return <Failure error={found.error} />;
  if (!found.data) return <Loading rows={3} />;
  if (!found.data.data.length) return <Text size="sm" c="dimmed">Nothing was logged.</Text>;
  return (
    <>
      <Table fz="xs">
        <Table.Tbody>
          {found.data.data.map((line) => (
            <Table.Tr key={line.id}>
              <Table.Td c="dimmed" style={{ whiteSpace: "nowrap" }}>
                <Instant at={line.created_at} />
              </Table.Td>
              <Table.Td c={COLORS[line.level]}>{line.level}</Table.Td>
              {!step && <Table.Td c="dimmed" visibleFrom="sm">{line.step_key && (names.get(line.step_key) ?? line.step_key)}</Table.Td>}
              <Table.Td style={{ overflowWrap: "anywhere" }}>{line.message}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Pager meta={found.data.meta} onPage={setPage} />
    </>
  );
}
