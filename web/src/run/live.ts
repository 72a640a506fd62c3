// How often what a run has recorded is read again: while it goes on, no more once it has ended.
import type { Run } from "../api/contract";
import { isFinished } from "../canvas/progress";

const REFRESH_MS = 2_000;
// For payloads the server repeats the run up to the step that is looked at.
const LOOK_MS = 5_000;

export const every = (run: Run): number | false => (isFinished(run) ? false : REFRESH_MS);
export const everyLook = (run: Run): number | false => (isFinished(run) ? false : LOOK_MS);
