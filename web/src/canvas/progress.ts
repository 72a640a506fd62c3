// How a run goes on, step by step: live while it does, from its record once it has ended.
import { useEffect, useState } from "react";
import { useQueryClient } from "@tanstack/react-query";

import type { Run, RunStep } from "../api/contract";
import { url } from "../api/client";
import { useRead } from "../api/hooks";
import type { Progress } from "./nodes";

export const isFinished = (run: Run | undefined): boolean => run !== undefined && run.status >= 2;

/** The run, and the state of each of its steps by key. */
export function useProgress(run: number | undefined) {
  const client = useQueryClient();
  const [live, setLive] = useState<Map<string, Progress>>(new Map());
  const path = { flow_run: run ?? 0 };
  const about = useRead("get_run", { path }, { enabled: run !== undefined });
  const isKnown = about.data !== undefined;
  const ended = isFinished(about.data?.data);
  const steps = useRead("list_run_steps", { path }, { enabled: run !== undefined && ended });

  useEffect(() => {
    setLive(new Map());
  }, [run]);
  useEffect(() => {
    // Not before the run was read: what is told meanwhile would be overwritten by an answer that is older.
    if (run === undefined || !isKnown || ended) return;
    const source = new EventSource(url("follow_run", { path: { flow_run: run } }));
    source.addEventListener("step", (event) => {
      const { step, state } = JSON.parse(event.data) as { step: string; state: string };
      setLive((old) => new Map(old).set(step, { state: state === "started" ? "running" : "done" }));
    });
    source.addEventListener("run", (event) => {
      const { status } = JSON.parse(event.data) as { status: number };
      if (status < 2) return;
      source.close();
      void client.invalidateQueries();
    });
    return () => source.close();
  }, [run, isKnown, ended, client]);

  const states = ended && steps.data ? new Map(steps.data.data.map((step) => [step.key, stateOf(step)])) : live;
  return { run: about.data?.data, states: run === undefined ? undefined : states, error: about.error };
}

function stateOf(step: RunStep): Progress {
  if (!step.was_reached) return { state: "skipped", step };
  return { state: step.failed ? "failed" : "done", step };
}
