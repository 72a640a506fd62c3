import { useNavigate, useSearch } from "@tanstack/react-router";

import { RunList } from "../run/RunList";
import { PageTitle } from "../ui/parts";

export function Runs() {
  const search = useSearch({ from: "/shell/runs" });
  const navigate = useNavigate({ from: "/runs" });
  return (
    <>
      <PageTitle title="Runs" />
      <RunList search={search} onSearch={(next) => void navigate({ search: next })} />
    </>
  );
}
