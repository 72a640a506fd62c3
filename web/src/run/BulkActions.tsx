// Retrying or stopping all runs that a list shows, saying beforehand how many they are.
import { Group, Text } from "@mantine/core";

import type { RunSearch } from "../addresses";
import type { Args } from "../api/client";
import { useChange, useRead } from "../api/hooks";
import { Confirm } from "../ui/Confirm";
import { count, many } from "../ui/format";
import { useMe } from "../ui/me";
import { tell } from "../ui/tell";
import { meant, RETRIED, STOPPED } from "./search";

const MOST = 1_000;
type Filters = Args<"list_runs">["query"];

interface Props {
  search: RunSearch;
  filters: Filters;
}

export function BulkActions({ search, filters }: Props) {
  const { may } = useMe();
  const retry = useChange("retry_runs", { onSuccess: ({ data }) => tell.done(`${many(data.flow_run_ids.length, "run")} queued again.`) });
  const stop = useChange("stop_runs", { onSuccess: ({ data }) => tell.done(`${many(data.stopped.length, "run")} stopped.`) });
  const [again, open] = [meant(search, RETRIED), meant(search, STOPPED)];
  if (!may("user")) return null;
  const [retried, stopped] = [{ ...filters, "filter[status]": again }, { ...filters, "filter[status]": open }];
  return (
    <Group gap="xs" ml="auto">
      {again && (
        <Confirm label="Retry all" variant="light" loading={retry.isPending} title="Retry all runs of this list?" onConfirm={() => retry.mutate({ query: retried }, { onError: tell.failed })}>
          <HowMany filters={retried} what="that did not succeed" />
          Each goes on where it failed, once; what it had sent is not sent again. Those that were retried before are left out.
        </Confirm>
      )}
      {open && (
        <Confirm label="Stop all" variant="light" color="orange" loading={stop.isPending} title="Stop all runs of this list?" onConfirm={() => stop.mutate({ query: stopped }, { onError: tell.failed })}>
          <HowMany filters={stopped} what="under way or queued" />
          What they have sent stays sent. A stopped run can be retried.
        </Confirm>
      )}
    </Group>
  );
}

function HowMany({ filters, what }: { filters: Filters; what: string }) {
  const found = useRead("list_runs", { query: { ...filters, per_page: 1 } });
  const total = found.data?.meta.total;
  if (total === undefined) return <Text size="sm">Counting …</Text>;
  return (
    <Text size="sm" fw={600} mb={4}>
      {found.data?.meta.total_is_capped ? "More than " : ""}
      {many(total, "run")} {what}
      {total > MOST ? `, of which ${count(MOST)} at a time` : ""}.
    </Text>
  );
}
