// What cache steps keep.
import { Anchor, Button, Group, Modal, Text } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";

import type { CacheEntry } from "../api/contract";
import { exactly } from "../api/filters";
import { useChange, usePage, useRead } from "../api/hooks";
import { Data } from "../run/Data";
import { bytes } from "../ui/format";
import { useMe } from "../ui/me";
import { Empty, Failure, Instant, Loading, PageTitle } from "../ui/parts";
import { Records } from "../ui/Records";
import { SearchField } from "../ui/SearchField";
import { tell } from "../ui/tell";

const SCOPE = /^(company|(flow|run):\d+)$/;

export function CacheEntries() {
  const search = useSearch({ from: "/shell/cache" });
  const navigate = useNavigate({ from: "/cache" });
  const { may } = useMe();
  const [shown, setShown] = useState<CacheEntry>();
  const found = usePage("list_cache_entries", { query: { per_page: 25, page: search.page, "filter[key]": exactly(search.key), "filter[scope]": search.scope, sort: "-id" } });
  const remove = useChange("delete_cache_entry");
  const narrow = (change: Partial<typeof search>) => void navigate({ search: (old) => ({ ...old, ...change, page: undefined }) });
  return (
    <>
      <PageTitle title="Cache" />
      <Group gap="xs" mb="xs">
        <SearchField aria-label="Find a key" placeholder="A key" w={200} value={search.key} onChange={(key) => narrow({ key })} />
        <SearchField aria-label="Scope" placeholder="company, flow:7 or run:42" w={200} value={search.scope} onChange={(scope) => narrow({ scope: scope && SCOPE.test(scope) ? scope : undefined })} />
      </Group>
      <Records
        found={found}
        onPage={(page) => void navigate({ search: (old) => ({ ...old, page }) })}
        empty={search.key || search.scope ? <Empty title="Nothing is kept under this key">Keys are found as they are, whole.</Empty> : <Empty title="Nothing is kept">A cache step keeps values from one payload or run to the next; they stand here until they expire.</Empty>}
        columns={[
          { title: "Key", isLong: true, cell: (entry) => <Anchor component="button" size="sm" className="mono" onClick={() => setShown(entry)}>{entry.key}</Anchor> },
          { title: "Scope", cell: ({ scope }) => scope },
          { title: "Size", cell: (entry) => bytes(entry.bytes) },
          { title: "Changed", cell: ({ updated_at }) => <Instant at={updated_at} /> },
          { title: "Expires", cell: ({ expires_at }) => <Instant at={expires_at} /> },
        ]}
        actions={(entry) =>
          may("manager") && (
            <Button variant="subtle" color="red" onClick={() => remove.mutate({ path: { cache_entry: entry.id } }, { onError: tell.failed })}>
              Delete
            </Button>
          )
        }
      />
      <Modal opened={shown !== undefined} onClose={() => setShown(undefined)} title={shown?.key} size="lg">
        {shown && <Value entry={shown} />}
      </Modal>
    </>
  );
}

function Value({ entry }: { entry: CacheEntry }) {
  const found = useRead("get_cache_entry", { path: { cache_entry: entry.id } });
  if (found.error) return <Failure error={found.error} />;
  if (!found.data) return <Loading rows={3} />;
  return (
    <>
      <Text size="xs" c="dimmed" mb={4}>
        {entry.scope}, {bytes(entry.bytes)}
      </Text>
      <Data value={found.data.data.value} />
    </>
  );
}
