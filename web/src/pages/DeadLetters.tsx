// Payloads that failed for good: driven again or discarded, each once.
import { Button, Group, Text } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";

import { useChange, useRead } from "../api/hooks";
import { Confirm } from "../ui/Confirm";
import { useMe } from "../ui/me";
import { Empty, Instant, PageTitle } from "../ui/parts";
import { Records } from "../ui/Records";
import { tell } from "../ui/tell";

const OPEN = { "filter[state]": "open" };

export function DeadLetters() {
  const { page } = useSearch({ from: "/shell/dead-letters" });
  const navigate = useNavigate({ from: "/dead-letters" });
  const { may } = useMe();
  const found = useRead("list_dead_letters", { query: { ...OPEN, page, per_page: 25, sort: "-id" } });
  const drive = useChange("redrive_dead_letter");
  const discard = useChange("discard_dead_letter");
  const driveAll = useChange("redrive_dead_letters");
  return (
    <>
      <PageTitle title="Dead letters">
        {may("user") && found.data?.data.length !== 0 && (
          <Confirm label="Drive all again" variant="light" title="Drive all open dead letters again?" onConfirm={() => driveAll.mutate({ query: OPEN }, { onSuccess: ({ data }) => tell.done(`${data.flow_run_ids.length} runs were queued.`), onError: tell.failed })}>
            Each begins with the step that failed it, once. At most 1,000 at a time.
          </Confirm>
        )}
      </PageTitle>
      <Records
        found={found}
        minWidth={760}
        onPage={(next) => void navigate({ search: { page: next } })}
        empty={<Empty title="No payload is left over">A payload that fails for good stands here, with the step and the reason, until it is driven again or discarded.</Empty>}
        columns={[
          { title: "Step", cell: ({ step_name }) => step_name },
          { title: "Why", cell: ({ message }) => <Text size="sm" lineClamp={2}>{message}</Text> },
          { title: "Run", cell: ({ flow_run_id: run, step_key }) => <Link to="/runs/$run" params={{ run: String(run) }} search={{ step: step_key }} className="row-link">{run}</Link> },
          { title: "Since", cell: ({ created_at }) => <Instant at={created_at} /> },
        ]}
        actions={(letter) =>
          may("user") && (
            <Group gap={4} justify="end" wrap="nowrap">
              <Button variant="default" onClick={() => drive.mutate({ path: { dead_letter: letter.id }, body: {} }, { onSuccess: () => tell.done("It was queued again."), onError: tell.failed })}>
                Drive again
              </Button>
              <Confirm label="Discard" variant="subtle" color="red" title="Discard this payload?" onConfirm={() => discard.mutate({ path: { dead_letter: letter.id } }, { onError: tell.failed })}>
                It is not worked on again. It stays readable until its retention ends.
              </Confirm>
            </Group>
          )
        }
      />
    </>
  );
}
