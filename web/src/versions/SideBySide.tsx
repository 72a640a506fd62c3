// How two versions did, side by side.
import { Table } from "@mantine/core";

import type { Version } from "../api/contract";
import { count, duration } from "../ui/format";
import { type Result, useResults, wasReleased } from "./results";

const time = (ms: number | undefined) => (ms === undefined ? "—" : duration(ms));
const ROWS: Array<{ title: string; cell: (result: Result) => string }> = [
  { title: "Runs that ended", cell: ({ ended }) => count(ended) },
  { title: "Succeeded", cell: ({ share }) => share },
  { title: "Failed", cell: ({ failure }) => count(failure) },
  { title: "Median duration", cell: ({ p50 }) => time(p50) },
  { title: "95th percentile of the duration", cell: ({ p95 }) => time(p95) },
];

export function SideBySide({ flow, versions }: { flow: string; versions: Version[] }) {
  const results = useResults(
    flow,
    versions.map(({ id }) => id),
  );
  return (
    <Table className="card" layout="fixed" captionSide="bottom">
      <Table.Caption>Test runs of the time before a version is deployed count too.</Table.Caption>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Last 30 days</Table.Th>
          {versions.map((version) => (
            <Table.Th key={version.id}>
              Version {version.iteration}
              {!wasReleased(version) && ", test runs"}
            </Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {ROWS.map(({ title, cell }) => (
          <Table.Tr key={title}>
            <Table.Td>{title}</Table.Td>
            {versions.map(({ id }) => {
              const result = results?.get(id);
              return <Table.Td key={id}>{result ? cell(result) : "—"}</Table.Td>;
            })}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
