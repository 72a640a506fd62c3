// The next fires of schedules, each on a line of time of its own under one scale.
import { Anchor, Badge, Box, Group, Stack, Text, Tooltip, useMatches } from "@mantine/core";
import { Link } from "@tanstack/react-router";

import type { UpcomingSchedule } from "../api/contract";
import { utc } from "../ui/format";
import { Instant } from "../ui/parts";
import { HERE } from "./choices";
import { wall } from "./clock";
import { parse } from "./cron";
import { marks, place, type Span } from "./timeline";
import { describe } from "./words";

const DAY_MS = 86_400_000;

interface Props {
  schedules: UpcomingSchedule[];
  span: Span;
  onSlots: (schedule: UpcomingSchedule) => void;
}

export function TimeLine({ schedules, span, onSlots }: Props) {
  const most = useMatches({ base: 4, md: 8 });
  const scale = marks(span, HERE, most);
  return (
    <Box className="card" role="table" aria-label="Next fires">
      <Box className="fires" role="row">
        <Text size="xs" c="dimmed" role="columnheader">
          Flow
        </Text>
        <Text size="xs" c="dimmed" role="columnheader">
          Next
        </Text>
        <Scale marks={scale} span={span} />
      </Box>
      {schedules.map((schedule) => (
        <Line key={schedule.id} schedule={schedule} scale={scale} span={span} onSlots={() => onSlots(schedule)} />
      ))}
    </Box>
  );
}

function Scale({ marks: instants, span }: { marks: number[]; span: Span }) {
  const isDays = span.to - span.from > 2 * DAY_MS;
  const written = (at: number) => new Date(at).toLocaleString(undefined, isDays ? { weekday: "short", day: "numeric" } : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  return (
    <Box pos="relative" h={18} role="columnheader" aria-label="Time line" className="fires-line">
      {instants.map((at) => (
        <Text key={at} size="xs" c="dimmed" pos="absolute" style={{ left: `${place(at, span)}%`, transform: "translateX(-50%)", whiteSpace: "nowrap" }}>
          {written(at)}
        </Text>
      ))}
    </Box>
  );
}

function Line({ schedule, scale, span, onSlots }: { schedule: UpcomingSchedule; scale: number[]; span: Span; onSlots: () => void }) {
  const cron = parse(schedule.cron_string);
  return (
    <Box className="fires" role="row">
      <Stack gap={0} role="cell" miw={0}>
        <Group gap={6} wrap="nowrap">
          <Link to="/flows/$flow/schedules" params={{ flow: String(schedule.flow_id) }} className="row-link fires-name" title={schedule.flow_name}>
            {schedule.flow_name}
          </Link>
          {!schedule.is_enabled && <Badge color="gray">Disabled</Badge>}
        </Group>
        <Text size="xs" c="dimmed" title={schedule.cron_string}>
          {cron ? describe(cron) : schedule.cron_string}, <OfVersion schedule={schedule} />
        </Text>
      </Stack>
      <Stack gap={0} role="cell">
        <Group gap="xs">
          <Text size="sm">{schedule.next_run_at ? <Instant at={schedule.next_run_at} /> : "not at all"}</Text>
          <Anchor component="button" size="xs" c="dimmed" onClick={onSlots} aria-label={`Past slots of ${schedule.flow_name}`}>
            past slots
          </Anchor>
        </Group>
        <Text size="xs" c="dimmed">
          {schedule.next_run_at && `${wall(schedule.timezone, Date.parse(schedule.next_run_at))}, `}
          {schedule.timezone}
        </Text>
      </Stack>
      <Box pos="relative" role="cell" className="fires-line" aria-label={fireWords(schedule)}>
        {scale.map((at) => (
          <Box key={at} className="fires-mark" style={{ left: `${place(at, span)}%` }} />
        ))}
        <Fires schedule={schedule} span={span} />
      </Box>
    </Box>
  );
}

function OfVersion({ schedule: { flow_id, flow_version_id, iteration } }: { schedule: UpcomingSchedule }) {
  return (
    <Link to="/flows/$flow/canvas" params={{ flow: String(flow_id) }} search={{ version: Number(flow_version_id) }} className="nowrap quiet-link">
      version {iteration}
    </Link>
  );
}

function fireWords({ fires, has_more_fires, timezone }: UpcomingSchedule): string {
  if (has_more_fires) return `More than ${fires.length} times`;
  return fires.map((at) => wall(timezone, Date.parse(at))).join(", ") || "Not in this time";
}

function Fires({ schedule, span }: { schedule: UpcomingSchedule; span: Span }) {
  const { fires, has_more_fires, timezone } = schedule;
  if (has_more_fires) {
    return (
      <Tooltip label="More often than can be shown">
        <Box className="fires-often" style={{ left: `${place(Date.parse(fires[0] ?? ""), span)}%`, right: 0 }} />
      </Tooltip>
    );
  }
  return fires.map((at) => (
    <Tooltip key={at} label={<Times at={at} zone={timezone} />}>
      <Box className="fires-at" style={{ left: `${place(Date.parse(at), span)}%` }} />
    </Tooltip>
  ));
}

function Times({ at, zone }: { at: string; zone: string }) {
  const instant = Date.parse(at);
  return (
    <>
      {zone}: {wall(zone, instant)}
      {zone !== HERE && (
        <>
          <br />
          {HERE}: {wall(HERE, instant)}
        </>
      )}
      <br />
      {utc(at)}
    </>
  );
}
