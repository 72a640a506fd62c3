// What a described system offers.
import { Code, ScrollArea, Table } from "@mantine/core";

import type { ConnectorDocument } from "../api/contract";

type Endpoint = NonNullable<ConnectorDocument["endpoints"]>[number];

export function Endpoints({ endpoints }: { endpoints: Endpoint[] }) {
  return (
    <ScrollArea.Autosize mah={420} type="auto" viewportProps={{ tabIndex: 0 }} className="card">
      <Table fz="xs">
        <Table.Tbody>
          {endpoints.map(({ key, method, path, name }) => (
            <Table.Tr key={key}>
              <Table.Td w={70}>
                <Code>{method}</Code>
              </Table.Td>
              <Table.Td className="mono" style={{ overflowWrap: "anywhere" }}>
                {path}
              </Table.Td>
              <Table.Td style={{ overflowWrap: "anywhere" }}>{name}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollArea.Autosize>
  );
}
