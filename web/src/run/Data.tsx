// A payload to look at: as a tree, as a table where it is a list of records, or as it is written.
import { Box, Code, ScrollArea, SegmentedControl, Stack, Table } from "@mantine/core";
import { useState } from "react";

type Row = Record<string, unknown>;
const MOST_ROWS = 200;

export function Data({ value }: { value: unknown }) {
  const rows = asRows(value);
  const isTree = typeof value === "object" && value !== null;
  const [view, setView] = useState(rows ? "table" : isTree ? "tree" : "raw");
  return (
    <Stack gap={4}>
      {isTree && <SegmentedControl size="xs" w="fit-content" value={view} onChange={setView} data={[...(rows ? [{ value: "table", label: "Table" }] : []), { value: "tree", label: "Tree" }, { value: "raw", label: "Raw" }]} />}
      <ScrollArea.Autosize mah={360} type="auto" viewportProps={{ tabIndex: 0 }} className="card" p={6}>
        {view === "table" && rows ? <Rows rows={rows} /> : view === "tree" && isTree ? <Tree value={value} open /> : <Code block>{typeof value === "string" ? value : JSON.stringify(value ?? null, null, 2)}</Code>}
      </ScrollArea.Autosize>
    </Stack>
  );
}

function asRows(value: unknown): Row[] | undefined {
  if (!Array.isArray(value) || !value.length) return undefined;
  return value.every((item) => typeof item === "object" && item !== null && !Array.isArray(item)) ? (value as Row[]) : undefined;
}

function Rows({ rows }: { rows: Row[] }) {
  const columns = [...new Set(rows.slice(0, MOST_ROWS).flatMap((row) => Object.keys(row)))].slice(0, 30);
  return (
    <Table fz="xs" withRowBorders>
      <Table.Thead>
        <Table.Tr>
          {columns.map((column) => (
            <Table.Th key={column}>{column}</Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.slice(0, MOST_ROWS).map((row, index) => (
          <Table.Tr key={index}>
            {columns.map((column) => (
              <Table.Td key={column} className="mono" style={{ whiteSpace: "nowrap" }}>
                {cell(row[column])}
              </Table.Td>
            ))}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function cell(value: unknown): string {
  if (value === undefined) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

function Tree({ value, name, open }: { value: unknown; name?: string; open?: boolean }) {
  if (typeof value !== "object" || value === null) {
    return (
      <Box className="mono" pl={14}>
        {name !== undefined && <strong>{name}: </strong>}
        {JSON.stringify(value)}
      </Box>
    );
  }
  const entries = Object.entries(value);
  const kind = Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`;
  return (
    <details open={open ?? entries.length <= 8} className="mono">
      <summary>
        {name !== undefined && <strong>{name} </strong>}
        {kind}
      </summary>
      <Box pl={14}>
        {entries.slice(0, MOST_ROWS).map(([key, one]) => (
          <Tree key={key} name={key} value={one} />
        ))}
      </Box>
    </details>
  );
}
