"""The scheduler: fires the schedules of Deployed versions of enabled flows, each slot once, or says why not."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, Select, func, select

from flowloom.domain import cron, run
from flowloom.services import schedules
from flowloom.store import columns, queue, slots, tables
from flowloom.store.broker import Broker
from flowloom.store.database import Database

POLL_SECONDS: Final = 1.0
BATCH: Final = 500
# A slot that is later than this was missed: the server was down, or could not keep up.
GRACE: Final = timedelta(seconds=60)
SCHEDULES, FLOWS, VERSIONS, RUNS = tables.schedules.c, tables.flows.c, tables.versions.c, tables.runs.c

_NEXT = select(func.min(SCHEDULES.next_run_at, type_=columns.Instant()))
# No column more than is used: thousands of schedules may be due at a full hour.
_DUE: Final[Select[Any]] = (
    select(
        SCHEDULES.id, SCHEDULES.flow_version_id, SCHEDULES.cron_string, SCHEDULES.timezone, SCHEDULES.overlap,
        SCHEDULES.catch_up, SCHEDULES.jitter_seconds, SCHEDULES.dst_gap, SCHEDULES.dst_repeat, SCHEDULES.settled_until,
        FLOWS.id.label("flow_id"), FLOWS.company_id, FLOWS.is_enabled,
    )
    .join(tables.versions, VERSIONS.id == SCHEDULES.flow_version_id)
    .join(tables.flows, FLOWS.id == VERSIONS.flow_id)
    .order_by(SCHEDULES.next_run_at, SCHEDULES.id)
    .limit(BATCH)
    # Whoever deploys or enables holds the flow: its schedules are settled when that is done.
    .with_for_update(of=(tables.flows, tables.schedules), skip_locked=True)
)  # fmt: skip


class Scheduler:
    """`tick` fires all that is due; `wait` sleeps until something is, a second at most."""

    def __init__(
        self,
        database: Database,
        ids: queue.RunIds,
        signals: Broker,
        clock: Callable[[], datetime],
        reach: Callable[[str], None],
    ) -> None:
        self._database = database
        self._ids = ids
        self._signals = signals
        self._clock = clock
        self._reach = reach
        self._next_at: datetime | None = None

    async def tick(self, now: datetime) -> int:
        """Settle every schedule that is due at `now`; how many."""
        total = 0
        while await self._is_due(now):
            settled = await self._database.write_grouped(lambda db: settle_due(db, self._ids, now))
            if not settled:
                break
            total += settled
            self._reach("schedules-fired")
        if total:  # only now: runs that began earlier would hold up the slots that are still to fire
            self._signals.wake()
        return total

    async def wait(self) -> None:
        ahead = POLL_SECONDS
        if self._next_at is not None:
            ahead = min(ahead, (self._next_at - self._clock()).total_seconds())
        await asyncio.sleep(max(ahead, 0.0))

    async def _is_due(self, now: datetime) -> bool:
        self._next_at = await self._database.read(lambda db: db.scalar(_NEXT))
        return self._next_at is not None and self._next_at <= now


class Walk(NamedTuple):
    """The slots of a timetable to settle now, whether these are all, up to when they are, and the next one."""

    passed: Sequence[cron.Slot]
    is_whole: bool
    settled: datetime
    next_at: datetime | None


def settle_due(connection: Connection, ids: queue.RunIds, now: datetime) -> int:
    """Fire or account for up to 500 due schedules in one transaction; how many."""
    rows = connection.execute(_DUE.where(SCHEDULES.next_run_at <= now)).all()
    unfinished = _unfinished(connection, [row.id for row in rows])
    starts: list[queue.Start] = []
    steps: list[tuple[int, datetime | None, datetime]] = []
    walks: dict[tuple[Any, ...], Walk] = {}
    room = slots.MAX_SLOTS
    for row in rows:
        if room <= 0:
            break
        walk = _walk(walks, row, now)
        room -= len(walk.passed)
        verdicts = decide(row, walk.passed, unfinished[row.id], now, is_whole=walk.is_whole)
        starts += [_start(row, at, now) for at, reason in verdicts if reason is None]
        slots.record(connection, row.id, row.flow_version_id, verdicts, row.settled_until)
        steps.append((row.id, walk.next_at, walk.settled))
    queue.enqueue(connection, ids, starts)
    slots.advance(connection, steps)
    return len(steps)


def _walk(walks: dict[tuple[Any, ...], Walk], row: Row[Any], now: datetime) -> Walk:
    """Schedules with one timetable, settled up to one instant, share a walk: at a full hour that is most of them."""
    key = (row.cron_string, row.timezone, row.dst_gap, row.dst_repeat, row.settled_until)
    if key not in walks:
        table = schedules.timetable(row._asdict())
        passed, is_whole = slots.part(slots.passed(table, row.settled_until, now))
        settled = passed[-1].at if passed else now
        walks[key] = Walk(passed, is_whole, settled, table.next_slot(settled))
    return walks[key]


def decide(
    row: Row[Any],
    passed: Sequence[cron.Slot],
    unfinished: Counter[int],
    now: datetime,
    *,
    is_whole: bool = True,
) -> list[slots.Verdict]:
    """What becomes of each slot of a schedule that passed. `unfinished` counts the schedule's runs by status.

    Of a backlog that is not settled as a whole nothing fires: what is to be caught up comes with its last part.
    """
    firing = [slot.at for slot in passed if slot.fires]
    fates: dict[datetime, str | None] = dict.fromkeys(firing, "missed" if row.is_enabled else "paused")
    if row.is_enabled and is_whole:
        for number, at in enumerate(_caught_up(row.catch_up, firing, now)):
            fates[at] = None if _has_room(row, at, unfinished, number, now) else "overlap"
    return [(slot.at, fates[slot.at] if slot.fires else "dst gap") for slot in passed]


def _caught_up(catch_up: str, firing: Sequence[datetime], now: datetime) -> Sequence[datetime]:
    """The slots that are not too late: those within a minute, and of the older ones what catch-up asks for."""
    current = [at for at in firing if now - at <= GRACE]
    if catch_up == "all":
        return firing[-slots.MAX_CATCH_UP :]
    if catch_up == "latest" and not current:
        return firing[-1:]
    return current


def _has_room(row: Row[Any], at: datetime, unfinished: Counter[int], earlier: int, now: datetime) -> bool:
    """Whether the overlap rule lets a slot fire after `earlier` others of this moment.

    Slots that catch-up "all" brings wait in line one after another: whoever asks for all of them means it.
    """
    is_caught_up = row.catch_up == "all" and (now - at > GRACE or earlier > 0)
    if row.overlap == "allow" or (row.overlap == "queue" and is_caught_up):
        return True
    if row.overlap == "skip":
        return earlier == 0 and not unfinished.total()
    return unfinished[run.Status.QUEUED] == 0 and earlier <= (0 if unfinished.total() else 1)


def _unfinished(connection: Connection, schedule_ids: Sequence[int]) -> dict[int, Counter[int]]:
    counts: dict[int, Counter[int]] = {id: Counter() for id in schedule_ids}
    found = select(RUNS.serial_key, RUNS.status).where(
        RUNS.serial_key.in_(schedule_ids), RUNS.status < run.Status.SUCCESS
    )
    for schedule_id, status in connection.execute(found):
        counts[schedule_id][status] += 1
    return counts


def _start(row: Row[Any], at: datetime, now: datetime) -> queue.Start:
    return queue.Start(
        company_id=row.company_id,
        flow_id=row.flow_id,
        version_id=row.flow_version_id,
        trigger=run.Trigger.SCHEDULE,
        at=now,
        schedule_id=row.id,
        fire_at=at,
        ready_at=max(now, at + _jitter(row, at)),
        serial_key=None if row.overlap == "allow" else row.id,
    )


def _jitter(row: Row[Any], at: datetime) -> timedelta:
    """A delay of up to jitter_seconds, always the same for the same slot."""
    if not row.jitter_seconds:
        return timedelta(0)
    digest = hashlib.sha256(f"{row.id}/{at.isoformat()}".encode()).digest()
    return timedelta(seconds=int.from_bytes(digest[:4]) / 2**32 * row.jitter_seconds)
