// The processes that work together, for who may know: nothing where a server is alone. The dead stand first.
import { Text } from "@mantine/core";
import { keepPreviousData } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";

import { useRead } from "../api/hooks";
import { count } from "../ui/format";
import { useMe } from "../ui/me";
import { Section } from "../ui/parts";

const ProcessTable = lazy(async () => ({ default: (await import("./ProcessTable")).ProcessTable }));
const REFRESH_MS = 10_000;
const A_PAGE = 25;

/** With a `limit` no more than so many, and the way to all. */
export function Processes({ limit }: { limit?: number }) {
  const { may } = useMe();
  const [page, setPage] = useState(1);
  const query = { sort: "is_alive", per_page: limit ?? A_PAGE, page };
  const found = useRead("list_processes", { query }, { enabled: may("manager"), refetchInterval: REFRESH_MS, placeholderData: keepPreviousData });
  const total = found.data?.meta.total;
  if (!total) return null;
  return (
    <Section title="Processes">
      <Suspense fallback={null}>
        <ProcessTable found={found} onPage={limit ? undefined : setPage} />
      </Suspense>
      {limit !== undefined && total > limit && (
        <Text size="sm">
          <Link to="/settings">All {count(total)} processes</Link>
        </Text>
      )}
    </Section>
  );
}
