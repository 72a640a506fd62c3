// Processes as a table: what each is for, what it works on, and since when it lives or is silent.
import { Badge, Group } from "@mantine/core";
import type { ComponentProps } from "react";

import type { Process } from "../api/contract";
import { count } from "../ui/format";
import { Instant } from "../ui/parts";
import { Records } from "../ui/Records";

type Props = Pick<ComponentProps<typeof Records<Process>>, "found" | "onPage">;

export function ProcessTable({ found, onPage }: Props) {
  return (
    <Records
      found={found}
      onPage={onPage}
      empty={null}
      columns={[
        { title: "Role", cell: ({ role }) => role },
        { title: "Name", cell: ({ name }) => <span className="mono" style={{ overflowWrap: "anywhere" }}>{name}</span> },
        { title: "Runs / places", cell: ({ running, concurrency }) => (concurrency ? `${count(running)} / ${count(concurrency)}` : "—") },
        { title: "Started", cell: ({ started_at }) => <Instant at={started_at} /> },
        { title: "Last seen", cell: LastSeen },
      ]}
    />
  );
}

function LastSeen({ seen_at, is_alive }: Process) {
  return (
    <Group gap="xs" wrap="nowrap">
      <Instant at={seen_at} />
      {!is_alive && <Badge color="red">dead</Badge>}
    </Group>
  );
}
