// The way from page to page of a list.
import { Group, Pagination, Text } from "@mantine/core";

import type { Meta } from "../api/contract";
import { count } from "./format";

export function Pager({ meta, onPage }: { meta: Meta; onPage: (page: number) => void }) {
  if (meta.last_page <= 1) return null;
  return (
    <Group justify="space-between" mt="sm">
      <Text size="xs" c="dimmed">
        {count(meta.from ?? 0)} to {count(meta.to ?? 0)} of {count(meta.total)}
        {meta.total_is_capped ? " or more" : ""}
      </Text>
      <Pagination size="xs" total={meta.last_page} value={meta.current_page} onChange={onPage} getControlProps={(control) => ({ "aria-label": `${control} page` })} />
    </Group>
  );
}
