"""Slots of schedules: the ranges in which one did not fire, with the reason, and where it goes on."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from flowloom.domain import cron
from flowloom.store import tables

SLOTS, SCHEDULES = tables.schedule_slots.c, tables.schedules.c
REASONS: Final = ("overlap", "missed", "paused", "dst gap")
# More slots than this are settled in several steps, so that no transaction is long.
MAX_SLOTS: Final = 5_000
# The most slots that catch-up "all" brings; they all fire in one step.
MAX_CATCH_UP: Final = 1000

# The shortest time there is between two instants.
MOMENT: Final = timedelta(microseconds=1)

# When a slot was, and why it did not fire; None: it fired.
Verdict = tuple[datetime, str | None]


def passed(table: cron.Timetable, after: datetime, until: datetime) -> list[cron.Slot]:
    """The slots after one instant up to another, the first 5,000 of them."""
    slots = itertools.takewhile(lambda slot: slot.at <= until, table.slots(after))
    return list(itertools.islice(slots, MAX_SLOTS))


def part(passed: Sequence[cron.Slot]) -> tuple[Sequence[cron.Slot], bool]:
    """Of the slots that passed those to settle now, and whether these are all; the rest holds what is caught up."""
    if len(passed) < MAX_SLOTS:
        return passed, True
    return passed[:-MAX_CATCH_UP], False


_ADVANCE = (
    update(tables.schedules)
    .where(SCHEDULES.id.in_(bindparam("schedule_ids", expanding=True)))
    .values(next_run_at=bindparam("next_at"), settled_until=bindparam("settled_at"))
)


def advance(connection: Connection, steps: Sequence[tuple[int, datetime | None, datetime]]) -> None:
    """Move schedules on: (schedule, when it fires next, up to when its slots are accounted for)."""
    # Most of those that are due together go on together too.
    alike: dict[tuple[datetime | None, datetime], list[int]] = {}
    for id, next_at, settled_at in steps:
        alike.setdefault((next_at, settled_at), []).append(id)
    for (next_at, settled_at), ids in alike.items():
        connection.execute(_ADVANCE, {"schedule_ids": ids, "next_at": next_at, "settled_at": settled_at})


def record(
    connection: Connection,
    schedule_id: int,
    version_id: int,
    verdicts: Sequence[Verdict],
    settled_until: datetime | None = None,
) -> None:
    """Keep why slots did not fire, in ranges that hold no other slot.

    A range goes on when its last slot is the last one accounted for.
    """
    if all(reason is None for _, reason in verdicts):
        return
    for reason, group in itertools.groupby(verdicts, key=lambda verdict: verdict[1]):
        instants = [at for at, _ in group]
        if reason is not None:
            _keep(connection, schedule_id, version_id, reason, instants, settled_until)
        settled_until = instants[-1]


def _keep(
    connection: Connection,
    schedule_id: int,
    version_id: int,
    reason: str,
    instants: Sequence[datetime],
    settled_until: datetime | None,
) -> None:
    last = _last_range(connection, schedule_id) if settled_until is not None else None
    if last is not None and last.reason == reason and last.last_at == settled_until:
        extended = update(tables.schedule_slots).where(SLOTS.id == last.id)
        count = last._mapping["count"] + len(instants)
        connection.execute(extended.values(last_at=instants[-1], count=count))
        return
    row = {
        "schedule_id": schedule_id,
        "flow_version_id": version_id,
        "reason": reason,
        "first_at": instants[0],
        "last_at": instants[-1],
        "count": len(instants),
    }
    connection.execute(insert(tables.schedule_slots).values(row))


def _last_range(connection: Connection, schedule_id: int) -> Row[Any] | None:
    newest = select(tables.schedule_slots).where(SLOTS.schedule_id == schedule_id)
    return connection.execute(newest.order_by(SLOTS.id.desc()).limit(1)).one_or_none()


def offset_text(offset: timedelta) -> str:
    """A UTC offset as +HH:MM."""
    minutes = round(offset.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
