// What may be chosen for a schedule, in words.
import type { MissedSlots, ScheduleCreate } from "../api/contract";

export const HERE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const KNOWN = Intl.supportedValuesOf("timeZone");
export const ZONES = KNOWN.includes("UTC") ? KNOWN : ["UTC", ...KNOWN];

export const COMMON = [
  { value: "*/15 * * * *", label: "Every 15 minutes" },
  { value: "0 * * * *", label: "Every hour" },
  { value: "0 2 * * *", label: "Every day" },
  { value: "0 6 * * 1-5", label: "On weekdays" },
  { value: "0 6 * * 1", label: "Every week" },
  { value: "0 6 1 * *", label: "Every month" },
];

type Choices<K extends keyof ScheduleCreate> = Array<{ value: NonNullable<ScheduleCreate[K]> & string; label: string }>;

export const OVERLAP: Choices<"overlap"> = [
  { value: "queue", label: "Wait for it" },
  { value: "skip", label: "Leave the slot out" },
  { value: "allow", label: "Run beside it" },
];
export const CATCH_UP: Choices<"catch_up"> = [
  { value: "latest", label: "Make up for the latest slot" },
  { value: "all", label: "Make up for all slots" },
  { value: "none", label: "Make up for none" },
];
export const DST_GAP: Choices<"dst_gap"> = [
  { value: "next", label: "Run right after the gap" },
  { value: "skip", label: "Do not run that day" },
];
export const DST_REPEAT: Choices<"dst_repeat"> = [
  { value: "first", label: "Run the first time" },
  { value: "second", label: "Run the second time" },
  { value: "both", label: "Run both times" },
];

export const REASONS: Record<MissedSlots["reason"], string> = {
  overlap: "A run of it was not finished",
  missed: "The server was down or late",
  paused: "The flow was disabled, or the version not deployed",
  "dst gap": "The clock change left that time out",
};

export const NOTES: Record<string, string> = {
  gap_moved: "moved past the clock change",
  gap_skipped: "the clock change left out the one before",
  repeat_first: "the first of two",
  repeat_second: "the second of two",
};

export const worded = (choices: Array<{ value: string; label: string }>, value: string) => choices.find((one) => one.value === value)?.label ?? value;
