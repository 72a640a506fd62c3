// How the flows that ran most did in the last 24 hours.
import { Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";

import type { BusyFlow } from "../api/contract";
import { Spark } from "../flows/Spark";
import { inWords, sum } from "../flows/results";

export function Busiest({ flows }: { flows: BusyFlow[] }) {
  return (
    <Stack component="ul" className="card rows" gap={0}>
      {flows.map((flow) => (
        <li key={flow.flow_id} className="busy">
          <Link to="/flows/$flow/runs" params={{ flow: String(flow.flow_id) }} className="row-link">
            <Text size="sm" fw={500} truncate>
              {flow.flow_name}
            </Text>
          </Link>
          <Spark results={flow.results} />
          <Text size="xs" c="dimmed" visibleFrom="sm">
            {inWords(sum(flow.results))}
          </Text>
        </li>
      ))}
    </Stack>
  );
}
