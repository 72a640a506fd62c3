// Payloads that failed for good: driven again or discarded, each once.
import { Anchor, Badge, Group, Text } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";

import type { LetterSearch } from "../addresses";
import type { DeadLetter } from "../api/contract";
import { useChange, usePage } from "../api/hooks";
import { LetterFilters } from "../letters/LetterFilters";
import { LetterModal } from "../letters/LetterModal";
import { filters } from "../letters/search";
import { Confirm } from "../ui/Confirm";
import { useFlowNames } from "../ui/FlowSelect";
import { many } from "../ui/format";
import { useMe } from "../ui/me";
import { Empty, Instant, PageTitle } from "../ui/parts";
import { Records } from "../ui/Records";
import { tell } from "../ui/tell";

const STATE_COLORS = { open: "red", retried: "teal", "re-driven": "teal", discarded: "gray" } as const;

export function DeadLetters() {
  const search = useSearch({ from: "/shell/dead-letters" });
  const navigate = useNavigate({ from: "/dead-letters" });
  const [shown, setShown] = useState<DeadLetter>();
  const found = usePage("list_dead_letters", { query: { ...filters(search), page: search.page, per_page: 25 } });
  const names = useFlowNames(found.data?.data.map(({ flow_id }) => flow_id) ?? []);
  const show = (next: LetterSearch) => void navigate({ search: next });
  const isOpen = (search.state ?? "open") === "open";
  const isPlain = Object.keys(search).length === 0;
  return (
    <>
      <PageTitle title="Dead letters">{isOpen && <Bulk search={search} total={found.data?.meta.total ?? 0} />}</PageTitle>
      <LetterFilters search={search} onChange={show} />
      <Records
        found={found}
        minWidth={820}
        onPage={(page) => show({ ...search, page })}
        empty={isPlain ? <Empty title="No payload is left over">A payload that fails for good stands here, with the step and the reason, until it is driven again or discarded.</Empty> : <Empty title="None fits these filters">Clear one of them to see more.</Empty>}
        columns={[
          {
            title: "Step",
            isLong: true,
            cell: (letter) => (
              <Anchor component="button" size="sm" ta="start" onClick={() => setShown(letter)}>
                {letter.step_name}
              </Anchor>
            ),
          },
          { title: "Flow", cell: ({ flow_id }) => <Text size="sm" maw={220} truncate title={names.get(flow_id)}>{names.get(flow_id) ?? `Flow ${flow_id}`}</Text> },
          { title: "Why", isLong: true, cell: ({ message }) => <Text size="sm" lineClamp={2} style={{ overflowWrap: "anywhere" }}>{message}</Text> },
          { title: "Run", cell: ({ flow_run_id: run, step_key }) => <Link to="/runs/$run" params={{ run: String(run) }} search={{ step: step_key }}>{run}</Link> },
          { title: "Since", cell: ({ created_at }) => <Instant at={created_at} /> },
          ...(isOpen ? [] : [{ title: "State", cell: ({ state }: DeadLetter) => <Badge className="state" color={STATE_COLORS[state]}>{state}</Badge> }]),
        ]}
      />
      <LetterModal letter={shown} onClose={() => setShown(undefined)} />
    </>
  );
}

function Bulk({ search, total }: { search: LetterSearch; total: number }) {
  const { may } = useMe();
  const query = filters({ ...search, state: "open" });
  const drive = useChange("redrive_dead_letters", { onSuccess: ({ data }) => tell.done(`${many(data.flow_run_ids.length, "run")} queued.`) });
  const discard = useChange("discard_dead_letters", { onSuccess: ({ data }) => tell.done(`${many(data.discarded.length, "payload")} discarded.`) });
  if (!may("user") || !total) return null;
  const size = `${many(total, "payload")}${total > 1_000 ? ", of which 1,000 at a time" : ""}.`;
  return (
    <Group gap="xs">
      <Confirm label="Drive all again" variant="light" loading={drive.isPending} title="Drive all open ones of this list again?" onConfirm={() => drive.mutate({ query }, { onError: tell.failed })}>
        <strong>{size}</strong> Each begins with the step that failed it, once, in a run of its own.
      </Confirm>
      <Confirm label="Discard all" variant="subtle" color="red" loading={discard.isPending} title="Discard all open ones of this list?" onConfirm={() => discard.mutate({ query }, { onError: tell.failed })}>
        <strong>{size}</strong> They are not worked on again, and stay readable until their retention ends.
      </Confirm>
    </Group>
  );
}
