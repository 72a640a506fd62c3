// Payloads that failed for good: driven again or discarded, each once.
import { Button, Group, Table, Text } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";

import { useChange, useRead } from "../api/hooks";
import { Confirm } from "../ui/Confirm";
import { useMe } from "../ui/me";
import { Empty, Failure, Instant, Loading, PageTitle, Pager } from "../ui/parts";
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
  const letters = found.data?.data ?? [];
  return (
    <>
      <PageTitle title="Dead letters">
        {may("user") && letters.length > 0 && (
          <Confirm label="Drive all again" variant="light" title="Drive all open dead letters again?" onConfirm={() => driveAll.mutate({ query: OPEN }, { onSuccess: ({ data }) => tell.done(`${data.flow_run_ids.length} runs were queued.`), onError: tell.failed })}>
            Each begins with the step that failed it, once. At most 1,000 at a time.
          </Confirm>
        )}
      </PageTitle>
      {found.error && <Failure error={found.error} again={() => void found.refetch()} />}
      {found.isLoading && <Loading />}
      {found.data && !letters.length && <Empty title="No payload is left over">A payload that fails for good stands here, with the step and the reason, until it is driven again or discarded.</Empty>}
      {letters.length > 0 && found.data && (
        <>
          <Table.ScrollContainer minWidth={760} className="card">
            <Table highlightOnHover>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Step</Table.Th>
                  <Table.Th>Why</Table.Th>
                  <Table.Th>Run</Table.Th>
                  <Table.Th>Since</Table.Th>
                  <Table.Th />
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {letters.map((letter) => (
                  <Table.Tr key={letter.id}>
                    <Table.Td>{letter.step_name}</Table.Td>
                    <Table.Td>
                      <Text size="sm" lineClamp={2}>
                        {letter.message}
                      </Text>
                    </Table.Td>
                    <Table.Td>
                      <Link to="/runs/$run" params={{ run: String(letter.flow_run_id) }} search={{ step: letter.step_key }} className="row-link">
                        {letter.flow_run_id}
                      </Link>
                    </Table.Td>
                    <Table.Td>
                      <Instant at={letter.created_at} />
                    </Table.Td>
                    <Table.Td>
                      {may("user") && (
                        <Group gap={4} justify="end" wrap="nowrap">
                          <Button variant="default" onClick={() => drive.mutate({ path: { dead_letter: letter.id }, body: {} }, { onSuccess: () => tell.done("It was queued again."), onError: tell.failed })}>
                            Drive again
                          </Button>
                          <Confirm label="Discard" variant="subtle" color="red" title="Discard this payload?" onConfirm={() => discard.mutate({ path: { dead_letter: letter.id } }, { onError: tell.failed })}>
                            It is not worked on again. It stays readable until its retention ends.
                          </Confirm>
                        </Group>
                      )}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
          <Pager meta={found.data.meta} onPage={(next) => void navigate({ search: { page: next } })} />
        </>
      )}
    </>
  );
}
