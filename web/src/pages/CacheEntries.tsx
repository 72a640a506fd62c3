// What cache steps keep.
import { Button } from "@mantine/core";
import { useState } from "react";

import { useChange, useRead } from "../api/hooks";
import { bytes } from "../ui/format";
import { useMe } from "../ui/me";
import { Empty, Instant, PageTitle } from "../ui/parts";
import { Records } from "../ui/Records";
import { tell } from "../ui/tell";

export function CacheEntries() {
  const { may } = useMe();
  const [page, setPage] = useState(1);
  const found = useRead("list_cache_entries", { query: { per_page: 25, page } });
  const remove = useChange("delete_cache_entry");
  return (
    <>
      <PageTitle title="Cache" />
      <Records
        found={found}
        onPage={setPage}
        empty={<Empty title="Nothing is kept">A cache step keeps values from one payload or run to the next; they stand here until they expire.</Empty>}
        columns={[
          { title: "Key", cell: ({ key }) => <span className="mono">{key}</span> },
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
    </>
  );
}
