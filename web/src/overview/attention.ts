// What needs attention first, in one list: failures, then silence, then what is late or was left out.
import type { Overview } from "../api/contract";

export type Tone = "bad" | "warning" | "past";

interface Where {
  flow: number;
  name: string;
  /** The run to look at; else the schedules of the flow, or the flow itself. */
  run?: number;
  page?: "schedules";
}

export interface Matter extends Where {
  key: string;
  tone: Tone;
  says: string;
  more?: string;
  at: string;
}

const RANK: Tone[] = ["bad", "warning", "past"];

export function matters(found: Overview): Matter[] {
  const all = [...failing(found), ...silent(found), ...late(found), ...missed(found), ...empty(found)];
  return all.sort((one, other) => RANK.indexOf(one.tone) - RANK.indexOf(other.tone));
}

const times = (count: number) => (count === 1 ? "once" : `${count.toLocaleString()} times`);

function failing({ failing: found }: Overview): Matter[] {
  return found.map((one) => ({
    key: `failing ${one.flow_id}`,
    tone: one.is_well_again ? "past" : "bad",
    flow: one.flow_id,
    name: one.flow_name,
    run: one.flow_run.id,
    says: `failed ${times(one.count)}${one.is_well_again ? ", and works again" : ""}`,
    more: (one.flow_run.summary?.error as { message?: string } | undefined)?.message,
    at: one.flow_run.finished_at ?? one.flow_run.queued_at,
  }));
}

function silent({ silent: found }: Overview): Matter[] {
  return found.map((one) => ({
    key: `silent ${one.flow_id}`,
    tone: "bad",
    flow: one.flow_id,
    name: one.flow_name,
    says: "went silent",
    more: "No run has started since then, for longer than its alert allows",
    at: one.since,
  }));
}

function late({ late: found }: Overview): Matter[] {
  return found.map((one) => ({
    key: `late ${one.schedule_id}`,
    tone: "warning",
    flow: one.flow_id,
    name: one.flow_name,
    page: "schedules",
    says: "is late: its schedule has not fired",
    more: `${one.cron_string}, ${one.timezone}`,
    at: one.due_at,
  }));
}

const WHY = { missed: "the server did not run then", overlap: "a run was still going on" };

function missed({ missed: found }: Overview): Matter[] {
  return found.map((one) => ({
    key: `missed ${one.schedule_id} ${one.reason} ${one.first_at}`,
    tone: "warning",
    flow: one.flow_id,
    name: one.flow_name,
    page: "schedules",
    says: `left out ${one.count.toLocaleString()} ${one.count === 1 ? "fire" : "fires"}: ${WHY[one.reason]}`,
    more: `${one.cron_string}, ${one.timezone}`,
    at: one.last_at,
  }));
}

function empty({ empty: found }: Overview): Matter[] {
  return found.map((one) => ({
    key: `empty ${one.flow_id}`,
    tone: "warning",
    flow: one.flow_id,
    name: one.flow_name,
    run: one.flow_run_id,
    says: "ran, but received no record",
    at: one.at,
  }));
}
