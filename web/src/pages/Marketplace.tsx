// Flows that were uploaded as private apps, to be installed as flows again.
import { Button } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { useChange, useRead } from "../api/hooks";
import { useMe } from "../ui/me";
import { Empty, Instant, PageTitle } from "../ui/parts";
import { Records } from "../ui/Records";
import { tell } from "../ui/tell";

export function Marketplace() {
  const { may } = useMe();
  const navigate = useNavigate();
  const [page, setPage] = useState(1);
  const found = useRead("list_marketplace_apps", { query: { per_page: 25, page } });
  const install = useChange("install_marketplace_app", {
    onSuccess: ({ data }) => void navigate({ to: "/flows/$flow/canvas", params: { flow: String(data.id) } }),
  });
  return (
    <>
      <PageTitle title="Marketplace" />
      <Records
        found={found}
        onPage={setPage}
        empty={<Empty title="No app was uploaded yet">An administrator uploads a deployed version from the list of a flow's versions; it can then be installed as a new flow here.</Empty>}
        columns={[
          { title: "Name", cell: ({ name }) => <strong>{name}</strong> },
          { title: "Description", cell: ({ description }) => description },
          { title: "Version", cell: ({ latest_version }) => latest_version },
          { title: "Changed", cell: ({ updated_at }) => <Instant at={updated_at} /> },
        ]}
        actions={(app) =>
          may("manager") && (
            <Button variant="default" loading={install.isPending} onClick={() => install.mutate({ path: { marketplace_app: app.id }, body: {} }, { onError: tell.failed })}>
              Install as a flow
            </Button>
          )
        }
      />
    </>
  );
}
