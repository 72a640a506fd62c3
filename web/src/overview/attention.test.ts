import { describe, expect, it } from "vitest";

import type { Overview, Run } from "../api/contract";
import { matters } from "./attention";

const NOTHING: Overview = {
  since: "2026-03-01T11:00:00Z",
  flows_count: 1,
  runs: { success: 0, failure: 0, stopped: 0, partial: 0 },
  queued: 0,
  started: 0,
  open_dead_letters: 0,
  failing: [],
  silent: [],
  empty: [],
  late: [],
  missed: [],
  busiest: [],
  version: "0.1.0",
  database: "SQLite",
  faults: [],
};
const run = { id: 7, queued_at: "2026-03-02T10:00:00Z", summary: { error: { message: "No." } } } as unknown as Run;
const failing = (flow_id: number, is_well_again: boolean) => ({ flow_id, flow_name: `F${flow_id}`, count: flow_id, is_well_again, flow_run: run });
const schedule = { flow_id: 3, flow_name: "F3", schedule_id: 4, cron_string: "5 4 * * *", timezone: "UTC" };

describe("what needs attention", () => {
  it("is nothing when all is well", () => {
    expect(matters(NOTHING)).toEqual([]);
  });

  it("a failure comes before a late schedule, and what works again comes last", () => {
    const late = [{ ...schedule, due_at: "2026-03-02T09:00:00Z" }];
    const found = matters({ ...NOTHING, failing: [failing(1, true), failing(2, false)], late });
    expect(found.map(({ tone, flow }) => [tone, flow])).toEqual([
      ["bad", 2],
      ["warning", 3],
      ["past", 1],
    ]);
    expect(found[0]).toMatchObject({ says: "failed 2 times", more: "No.", run: 7 });
    expect(found[2]?.says).toBe("failed once, and works again");
  });

  it("says why fires were left out", () => {
    const range = { first_at: "2026-03-02T09:00:00Z", last_at: "2026-03-02T09:30:00Z", count: 7 };
    const found = matters({ ...NOTHING, missed: [{ ...schedule, ...range, reason: "overlap" }] });
    expect(found[0]).toMatchObject({ says: "left out 7 fires: a run was still going on", page: "schedules" });
  });
});
