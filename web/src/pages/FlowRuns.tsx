import { useNavigate, useParams, useSearch } from "@tanstack/react-router";

import { RunList } from "../run/RunList";

export function FlowRuns() {
  const { flow } = useParams({ from: "/shell/flows/$flow" });
  const search = useSearch({ from: "/shell/flows/$flow/runs" });
  const navigate = useNavigate({ from: "/flows/$flow/runs" });
  return <RunList search={search} flow={Number(flow)} onSearch={(next) => void navigate({ search: next })} />;
}
