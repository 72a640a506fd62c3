// All flows of the company: to find one, to make one, and to see which need a look.
import { Button, Pill, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";

import { useRead } from "../api/hooks";
import { FirstFlow } from "../flows/FirstFlow";
import { FlowTable } from "../flows/FlowTable";
import { Icon } from "../ui/Icon";
import { useMe } from "../ui/me";
import { Pager } from "../ui/Pager";
import { Empty, Failure, Loading, PageTitle } from "../ui/parts";

const NewFlow = lazy(async () => ({ default: (await import("../flows/NewFlow")).NewFlow }));
const ImportFlow = lazy(async () => ({ default: (await import("../flows/ImportFlow")).ImportFlow }));
const REFRESH_MS = 10_000;

export function Flows() {
  const { page, search, label, make } = useSearch({ from: "/shell/flows" });
  const navigate = useNavigate({ from: "/flows" });
  const found = useRead(
    "list_flows",
    {
      query: {
        page,
        per_page: 25,
        sort: "-id",
        include: "deployedVersion,currentVersion,latestRun,nextRun,results",
        "filter[search]": search,
        "filter[label]": label,
      },
    },
    { refetchInterval: REFRESH_MS, placeholderData: (old) => old },
  );
  const close = () => void navigate({ search: (old) => ({ ...old, make: undefined }), replace: true });
  const isEmpty = found.data?.data.length === 0;
  return (
    <>
      <PageTitle title="Flows">
        <Find />
        <Makers />
      </PageTitle>
      {found.error && <Failure error={found.error} again={() => void found.refetch()} />}
      {found.isLoading && <Loading />}
      {isEmpty && (search || label ? <NoneFound /> : <FirstFlow />)}
      {found.data && !isEmpty && (
        <>
          <FlowTable flows={found.data.data} />
          <Pager meta={found.data.meta} onPage={(to) => void navigate({ search: (old) => ({ ...old, page: to }) })} />
        </>
      )}
      <Suspense>
        {make === "new" && <NewFlow opened onClose={close} />}
        {make === "import" && <ImportFlow opened onClose={close} />}
      </Suspense>
    </>
  );
}

function Find() {
  const { search, label } = useSearch({ from: "/shell/flows" });
  const navigate = useNavigate({ from: "/flows" });
  const [text, setText] = useState(search ?? "");
  const find = useDebouncedCallback((wanted: string) => void navigate({ search: { search: wanted || undefined, label }, replace: true }), 250);
  // The address may change by other ways than this field; blanks around the words are not in it.
  useEffect(() => setText((old) => (old.trim() === (search ?? "") ? old : (search ?? ""))), [search]);
  const change = (typed: string) => {
    setText(typed);
    find(typed.trim());
  };
  return (
    <>
      {label && (
        <Pill withRemoveButton onRemove={() => void navigate({ search: { search } })} removeButtonProps={{ "aria-label": `Show flows of all labels, not only ${label}`, "aria-hidden": false, tabIndex: 0 }}>
          {label}
        </Pill>
      )}
      <TextInput type="search" placeholder="Find by name" aria-label="Find by name" leftSection={<Icon name="search" size={14} />} value={text} onChange={(event) => change(event.currentTarget.value)} />
    </>
  );
}

function Makers() {
  const { may } = useMe();
  const navigate = useNavigate({ from: "/flows" });
  if (!may("manager")) return null;
  const show = (make: "new" | "import") => void navigate({ search: (old) => ({ ...old, make }) });
  return (
    <>
      <Button variant="default" onClick={() => show("import")}>
        Import
      </Button>
      <Button leftSection={<Icon name="plus" size={14} />} onClick={() => show("new")}>
        New flow
      </Button>
    </>
  );
}

function NoneFound() {
  const { search, label } = useSearch({ from: "/shell/flows" });
  const navigate = useNavigate({ from: "/flows" });
  const wanted = [search && `with "${search}" in its name`, label && `with the label "${label}"`].filter(Boolean).join(" and ");
  return (
    <Empty title={`There is no flow ${wanted}`}>
      <Button variant="default" onClick={() => void navigate({ search: {} })}>
        Show all flows
      </Button>
    </Empty>
  );
}
