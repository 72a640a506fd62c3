"""When a schedule fires: five-field cron in a time zone, with a policy for the days the clocks change.

cronsim reads the fields and walks the calendar in naive local time; zoneinfo and `Timetable` turn local times
into instants.
"""

from __future__ import annotations

import bisect
import contextlib
import copy
import functools
import zoneinfo
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from cronsim import CronSim, CronSimError
from cronsim.cronsim import Field

from flowloom import errors

MAX_LENGTH = 255
SHAPE = "minute hour day-of-month month day-of-week, such as '30 2 * * 1-5'"
FIELDS = (
    (Field.MINUTE, "Minute", "0-59"),
    (Field.HOUR, "Hour", "0-23"),
    (Field.DAY, "Day-of-month", "1-31, L (last day), LW (last weekday)"),
    (Field.MONTH, "Month", "1-12, JAN-DEC"),
    (Field.DOW, "Day-of-week", "0-7 (0 and 7 are Sunday), SUN-SAT, 5L (last Friday), 5#2 (second Friday)"),
)
LAST = {Field.MINUTE: 59, Field.HOUR: 23, Field.DAY: 31, Field.MONTH: 12, Field.DOW: 7}
NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
NOT_ZONES = {"Factory", "localtime"}

EPOCH = datetime.fromisoformat("2000-01-01")
SECOND = timedelta(seconds=1)
LAST_SECOND = timedelta(days=1) - SECOND
TIMES_OF_DAY = [timedelta(minutes=minute) for minute in range(24 * 60)]
GIVE_UP = timedelta(days=50 * 366)


@dataclass(frozen=True, slots=True)
class Cron:
    """A valid expression. `every_hour`: its hour field takes all 24 hours, so it means an interval.

    As in Debian's cron, day-of-month and day-of-week are alternatives (`0 0 13 * 5` is each 13th and each
    Friday) unless one of them begins with `*`; then both must match. `5/15` is every 15 from 5 on.
    """

    expression: str
    every_hour: bool
    _times: tuple[timedelta, ...] = field(repr=False, compare=False)
    _midnights: CronSim = field(repr=False, compare=False)

    def local_times(self, after: datetime) -> Iterator[datetime]:
        """The naive local times the expression names, strictly after a naive local time, ascending."""
        walker = copy.copy(self._midnights)
        walker.dt = datetime.combine(after, datetime.min.time()) - SECOND
        for midnight in walker:
            begin = bisect.bisect_right(self._times, after - midnight)
            for time_of_day in self._times[begin:]:
                yield midnight + time_of_day
            # Its next step is then a midnight: walking through the hours is what takes time.
            walker.dt = midnight + LAST_SECOND


@dataclass(frozen=True, slots=True)
class Slot:
    """A time the schedule names: `at`, the aware UTC instant; `local`, the naive wall time as the expression
    names it; `offset`, the zone's UTC offset in force at `at`; `fires`, false for gap_skipped alone."""

    at: datetime
    local: datetime
    offset: timedelta
    note: Literal["gap_moved", "gap_skipped", "repeat_first", "repeat_second"] | None
    fires: bool


@dataclass(frozen=True, slots=True)
class Timetable:
    """A cron expression in a time zone.

    A local time that the zone skips, as the clocks go forward, fires at the first instant after the gap
    (`dst_gap` "next") or not at all ("skip"). A local time that comes twice, as they go back, fires the first
    time, the second time or both times (`dst_repeat`). An instant fires once, however many local times
    lead to it.

    An expression of every hour (`*/15 * * * *`, `0 * * * *`) means an interval, so neither policy applies to
    it: it runs through both passes of a repeated hour and has no slots in a gap.
    """

    cron: Cron
    zone: zoneinfo.ZoneInfo
    dst_gap: Literal["skip", "next"] = "next"
    dst_repeat: Literal["first", "second", "both"] = "first"

    def slots(self, after: datetime) -> Iterator[Slot]:
        """The slots strictly after an aware instant, by `at`; each skipped local time is a slot of its own.

        Ends with the year 9999, or once nothing fires for 50 years: dst_gap "skip" can silence an expression.
        """
        fired = after
        with contextlib.suppress(OverflowError):
            for slot in self._in_order(after):
                if slot.at <= (fired if slot.fires else after):
                    continue
                if slot.at - fired > GIVE_UP:
                    return
                if slot.fires:
                    fired = slot.at
                yield slot

    def next_slot(self, after: datetime) -> datetime | None:
        """The first instant strictly after another one that fires or that a gap took; None when there is none."""
        return next((slot.at for slot in self.slots(after)), None)

    def next(self, after: datetime) -> datetime | None:
        """The first instant that fires strictly after an aware instant; None when there is none."""
        return next((slot.at for slot in self.slots(after) if slot.fires), None)

    def _in_order(self, after: datetime) -> Iterator[Slot]:
        """Slots by instant: those of a second pass wait for the end of the first. May begin too early."""
        second_pass: deque[Slot] = deque()
        for local in self.cron.local_times(self._begin(after)):
            for slot in self._resolve(local):
                if slot.note == "repeat_second":
                    second_pass.append(slot)
                    continue
                while second_pass and second_pass[0].at < slot.at:
                    yield second_pass.popleft()
                yield slot

    def _begin(self, after: datetime) -> datetime:
        """The local time to walk from: in the first pass of a repeat, all of the second is still to come."""
        local = after.astimezone(self.zone).replace(tzinfo=None)
        before, later = self._offsets(local)
        if before > later and local.fold == 0:
            return local - (before - later) - SECOND
        return local

    def _resolve(self, local: datetime) -> Sequence[Slot]:
        before, later = self._offsets(local)
        if before == later:
            return (Slot(_instant(local, before), local, before, None, True),)
        if before < later:
            return self._in_gap(local, before, later)
        passes = (
            Slot(_instant(local, before), local, before, "repeat_first", True),
            Slot(_instant(local, later), local, later, "repeat_second", True),
        )
        if self.cron.every_hour or self.dst_repeat == "both":
            return passes
        return passes[:1] if self.dst_repeat == "first" else passes[1:]

    def _in_gap(self, local: datetime, before: timedelta, later: timedelta) -> Sequence[Slot]:
        if self.cron.every_hour:
            return ()
        at = self._reaches(local, _instant(local, later), _instant(local, before))
        if self.dst_gap == "next":
            return (Slot(at, local, later, "gap_moved", True),)
        return (Slot(at, local, later, "gap_skipped", False),)

    def _offsets(self, local: datetime) -> tuple[timedelta, timedelta]:
        """The UTC offsets before and after the change `local` falls into; equal when it exists just once."""
        aware = local.replace(tzinfo=self.zone, fold=0)
        before, later = aware.utcoffset(), aware.replace(fold=1).utcoffset()
        assert before is not None
        assert later is not None
        return before, later

    def _reaches(self, local: datetime, low: datetime, high: datetime) -> datetime:
        """The first instant in low..high with a wall time past `local`: zoneinfo hides its transitions."""

        def is_past(second: int) -> bool:
            return (low + second * SECOND).astimezone(self.zone).replace(tzinfo=None) > local

        return low + SECOND * bisect.bisect_left(range((high - low) // SECOND), True, key=is_past)


def parse(expression: str) -> Cron:
    """Read a five-field expression. Raises errors.Invalid on `cron_string`, also when it can never fire."""
    if not isinstance(expression, str):
        raise _invalid(f"A cron expression is text of five fields: {SHAPE}.")
    if len(expression) > MAX_LENGTH:
        raise _invalid(
            f"The cron expression is over {MAX_LENGTH} characters; use ranges and steps, not lists."
        )
    return _parse(" ".join(expression.split()))


def zone(name: str) -> zoneinfo.ZoneInfo:
    """The time zone of an IANA name. Raises errors.Invalid on `timezone` for anything else."""
    if not isinstance(name, str) or name not in _zone_names():
        what = f"{name!r:.80}" if isinstance(name, str) else f"of type {type(name).__name__}"
        message = f"Timezone {what} is not known; use an IANA name such as 'Europe/Berlin' or 'UTC'."
        raise errors.Invalid.field("timezone", message)
    return _load_zone(name)


def preview(timetable: Timetable, after: datetime, count: int) -> list[Slot]:
    """The slots after an aware instant up to the `count`-th that fires, with the skipped ones between."""
    slots = timetable.slots(after)
    found: list[Slot] = []
    while count > 0 and (slot := next(slots, None)) is not None:
        found.append(slot)
        count -= slot.fires
    return found


@functools.lru_cache(maxsize=4096)
def _parse(expression: str) -> Cron:
    minute, hour, *days = _fields(expression)
    clock = CronSim(f"{minute} {hour} * * *", EPOCH)
    times = tuple(TIMES_OF_DAY[60 * h + m] for h in sorted(clock.hours) for m in sorted(clock.minutes))
    with contextlib.suppress(CronSimError):
        midnights = CronSim(" ".join(["0 0", *days]), EPOCH)
        cron = Cron(expression, len(clock.hours) == 24, times, midnights)
        if any(cron.local_times(EPOCH)):
            return cron
    raise _invalid(f"'{expression}' never fires: no such day exists; change the day or the month.")


def _fields(expression: str) -> list[str]:
    """The five fields in upper case, each readable on its own."""
    fields = expression.split()
    if expression.startswith("@"):
        instead = NICKNAMES.get(expression.lower())
        way_out = f"write '{instead}'" if instead else f"write five fields: {SHAPE}"
        raise _invalid(f"Nicknames such as {expression!r:.40} are not supported; {way_out}.")
    if not fields:
        raise _invalid(f"The cron expression is empty; write five fields: {SHAPE}.")
    if len(fields) != len(FIELDS):
        raise _invalid(
            f"A cron expression has five fields, not {len(fields)}: {SHAPE}; no seconds, no years."
        )
    problems = [
        f"{title} field {text!r:.80} is not valid; use {allowed}, *, lists, ranges and steps."
        for (kind, title, allowed), text in zip(FIELDS, fields, strict=True)
        if not _is_readable(kind, text)
    ]
    if problems:
        raise errors.Invalid({"cron_string": problems})
    return expression.upper().split()


def _is_readable(kind: Field, text: str) -> bool:
    if not text.isascii():
        return False
    try:
        return all(kind.parse(term) and not _has_idle_step(kind, term) for term in text.upper().split(","))
    except CronSimError:
        return False


def _has_idle_step(kind: Field, term: str) -> bool:
    """Steps that reach no second value: `L/2`, `5-5/2` (which cronsim reads as `5/2`), and `*/61` in any field."""
    of, slash, step = term.partition("/")
    if not slash:
        return False
    return of.startswith("L") or int(step) > LAST[kind] or ("-" in of and len(kind.parse(of)) == 1)


def _instant(local: datetime, offset: timedelta) -> datetime:
    return (local - offset).replace(tzinfo=UTC)


def _invalid(message: str) -> errors.Invalid:
    return errors.Invalid.field("cron_string", message)


@functools.lru_cache(maxsize=1)
def _zone_names() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones()) - NOT_ZONES


@functools.lru_cache(maxsize=1024)
def _load_zone(name: str) -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(name)
