// Saving a draft: each change at once, in order, against the state it was made on. Where somebody else changed the draft
// meanwhile, one is asked which of the two is to stay.
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";

import { type Answer, ApiError, type Args, call, type Name, send } from "../api/client";
import type { Step, User } from "../api/contract";
import { graphKey, type Loaded, withStep } from "./reading";

const SAVE_AFTER_MS = 500;
// What is done once, as against what is typed: when it fails, nothing of it is left to be saved.
const ONCE = "";

export type SaveState = "saved" | "saving" | { error: ApiError };
type Choice = "mine" | "theirs";

export interface Conflict {
  by?: User;
  at?: string;
  decide: (choice: Choice) => void;
}

export function useSaving(flow: number, version: number) {
  const client = useQueryClient();
  const key = useMemo(() => graphKey(version), [version]);
  const [state, setState] = useState<SaveState>("saved");
  const [conflict, setConflict] = useState<Conflict>();
  // Counts how often theirs was taken: what was typed before is gone then, and so is what waits to be saved.
  const [theirs, setTheirs] = useState(0);
  const epoch = useRef(0);
  const queue = useRef<Promise<unknown>>(Promise.resolve());
  const waiting = useRef(0);
  // What stands in a field and could not be saved, by the field.
  const refused = useRef(new Map<string, ApiError>());
  const clash = useRef<{ met: Promise<void>; meet: () => void }>(undefined);
  clash.current ??= meeting();

  const save = useCallback(
    async <N extends Name>(name: N, args: Args<N>): Promise<Answer<N>> => {
      const etag = client.getQueryData<Loaded>(key)?.etag;
      const saved = await send(name, args, { headers: etag ? { "If-Match": etag } : {} });
      client.setQueryData<Loaded>(key, (old) => old && { ...old, etag: saved.etag ?? old.etag });
      return saved.answer;
    },
    [client, key],
  );

  const refresh = useCallback(async () => {
    await client.invalidateQueries({ queryKey: key });
    for (const name of ["list_versions", "get_variables"]) void client.invalidateQueries({ queryKey: [name] });
  }, [client, key]);

  const ask = async (): Promise<Choice> => {
    clash.current?.meet();
    const about = await call("get_version", { path: { flow, version }, query: { include: "savedByUser" } }).catch(() => undefined);
    const choice = await new Promise<Choice>((decide) => setConflict({ by: about?.data.saved_by_user, at: about?.data.saved_at, decide }));
    setConflict(undefined);
    clash.current = meeting();
    return choice;
  };

  const attempt = async (what: string, work: () => Promise<void>): Promise<boolean> => {
    try {
      await work();
      refused.current.delete(what);
      return true;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409) {
        refused.current.set(what, error instanceof ApiError ? error : new ApiError(0, String(error)));
        return false;
      }
    }
    const choice = await ask();
    await refresh();
    if (choice === "mine") return attempt(what, work);
    epoch.current += 1;
    refused.current.clear();
    setTheirs(epoch.current);
    return false;
  };

  const show = useCallback(() => {
    if (waiting.current || later.current.size) return;
    const [error] = refused.current.values();
    setState(error ? { error } : "saved");
  }, []);

  /** Work in line: one change is saved after the other, then the graph is read again. Whether it was saved. */
  const enqueue = (work: () => Promise<void>, what = ONCE): Promise<boolean> => {
    const begun = epoch.current;
    setState("saving");
    refused.current.delete(ONCE);
    waiting.current += 1;
    const run = queue.current.then(async () => {
      const done = begun === epoch.current && (await attempt(what, work));
      await refresh();
      waiting.current -= 1;
      show();
      return done;
    });
    queue.current = run;
    return run;
  };
  /** What was typed there and refused is given up. */
  const forget = useCallback(
    (of: string) => {
      for (const what of refused.current.keys()) if (what.endsWith(of)) refused.current.delete(what);
      show();
    },
    [show],
  );

  const later = useRef(new Map<string, () => void>());
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const flush = useCallback(() => {
    clearTimeout(timer.current);
    const works = [...later.current.values()];
    later.current.clear();
    for (const work of works) work();
  }, []);
  /** Save what is being typed once the typing rests; of the same thing the last one counts. */
  const soon = useCallback(
    (what: string, work: (what: string) => Promise<boolean>): Promise<boolean> => {
      setState("saving");
      clearTimeout(timer.current);
      timer.current = setTimeout(flush, SAVE_AFTER_MS);
      return new Promise((saved) => later.current.set(what, () => void work(what).then(saved)));
    },
    [flush],
  );
  /** Save all that is typed and wait until it is; false while a conflict is to be decided. */
  const settle = async (): Promise<boolean> => {
    flush();
    return Promise.race([queue.current.then(() => true), (clash.current ??= meeting()).met.then(() => false)]);
  };
  useEffect(() => {
    // Who leaves the pages is asked whether to wait for what is not saved yet.
    const leave = (event: BeforeUnloadEvent) => {
      if (!later.current.size && !waiting.current) return;
      flush();
      event.preventDefault();
    };
    window.addEventListener("beforeunload", leave);
    return () => {
      window.removeEventListener("beforeunload", leave);
      flush();
    };
  }, [flush]);

  const changed = useCallback((step: Step) => client.setQueryData<Loaded>(key, (old) => old && { ...old, graph: withStep(old.graph, step) }), [client, key]);
  return { state, conflict, theirs, save, changed, enqueue, soon, flush, settle, forget };
}

/** A promise that is kept when a conflict is met. */
function meeting() {
  let meet: () => void = () => undefined;
  const met = new Promise<void>((resolve) => {
    meet = resolve;
  });
  return { met, meet };
}
