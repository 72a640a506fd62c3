// Flows that were uploaded as private apps, to be installed as flows again.
import { Button, Modal, Select, Stack, Text, TextInput } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";

import type { MarketplaceApp } from "../api/contract";
import { useChange, usePage, useRead } from "../api/hooks";
import { FindByName, NoneNamed } from "../ui/ByName";
import { useFlowNames } from "../ui/FlowSelect";
import { FormButtons } from "../ui/FormButtons";
import { local } from "../ui/format";
import { useMe } from "../ui/me";
import { Empty, Failure, Instant, Loading, PageTitle } from "../ui/parts";
import { Records } from "../ui/Records";

export function Marketplace() {
  const { page, search } = useSearch({ from: "/shell/marketplace" });
  const navigate = useNavigate({ from: "/marketplace" });
  const { may } = useMe();
  const [chosen, setChosen] = useState<MarketplaceApp>();
  const found = usePage("list_marketplace_apps", { query: { per_page: 25, page, "filter[search]": search, sort: "name" } });
  const flows = useFlowNames(found.data?.data.map(({ flow_id }) => flow_id) ?? []);
  return (
    <>
      <PageTitle title="Marketplace">
        <FindByName search={search} onChange={(next) => void navigate({ search: next })} />
      </PageTitle>
      <Records
        found={found}
        onPage={(next) => void navigate({ search: { search, page: next } })}
        empty={search ? <NoneNamed search={search} /> : <Empty title="No app was uploaded yet">An administrator uploads a deployed version from the list of a flow's versions; it can then be installed as a new flow here.</Empty>}
        columns={[
          { title: "Name", isLong: true, cell: ({ name }) => <strong>{name}</strong> },
          { title: "Description", isLong: true, cell: ({ description }) => description && <Text size="sm" lineClamp={2} title={description}>{description}</Text> },
          { title: "Newest", cell: ({ latest_version }) => `Version ${latest_version}` },
          { title: "Made of", cell: ({ flow_id }) => <Text size="sm" maw={220} truncate title={flows.get(flow_id)}><Link to="/flows/$flow/versions" params={{ flow: String(flow_id) }}>{flows.get(flow_id) ?? `Flow ${flow_id}`}</Link></Text> },
          { title: "Changed", cell: ({ updated_at }) => <Instant at={updated_at} /> },
        ]}
        actions={(app) =>
          may("manager") && (
            <Button variant="default" onClick={() => setChosen(app)}>
              Install
            </Button>
          )
        }
      />
      <Modal opened={chosen !== undefined} onClose={() => setChosen(undefined)} title={`Install ${chosen?.name ?? ""}`}>
        {chosen && <Install app={chosen} onCancel={() => setChosen(undefined)} />}
      </Modal>
    </>
  );
}

function Install({ app, onCancel }: { app: MarketplaceApp; onCancel: () => void }) {
  const navigate = useNavigate();
  const [name, setName] = useState(app.name);
  const [version, setVersion] = useState(String(app.latest_version));
  const about = useRead("get_marketplace_app", { path: { marketplace_app: app.id } });
  const install = useChange("install_marketplace_app", {
    onSuccess: ({ data }) => void navigate({ to: "/flows/$flow/canvas", params: { flow: String(data.id) } }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    install.mutate({ path: { marketplace_app: app.id }, body: { name, version: Number(version) } });
  };
  if (about.error) return <Failure error={about.error} />;
  if (!about.data) return <Loading rows={3} />;
  const versions = about.data.data.versions?.map((one) => ({ value: String(one.version), label: `Version ${one.version}, ${local(one.created_at)}` })) ?? [];
  return (
    <form onSubmit={submit}>
      <Stack>
        <Text size="sm">It becomes a new flow with a draft, and stays disabled. Its connections and secrets are chosen there.</Text>
        <TextInput label="Name of the flow" required data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <Select label="Version of the app" searchable limit={50} allowDeselect={false} data={versions} value={version} onChange={(next) => next && setVersion(next)} />
        {install.error && <Failure error={install.error} />}
        <FormButtons save="Install" saving={install.isPending} onCancel={onCancel} />
      </Stack>
    </form>
  );
}
