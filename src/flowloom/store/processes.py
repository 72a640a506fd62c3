"""Processes: who works on this database, by the database's clock, and who is silent for so long that it counts as dead.

A process says every few seconds that it lives. What the dead worked on goes back into the queue.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    delete,
    insert,
    not_,
    or_,
    select,
    type_coerce,
    update,
)

from flowloom import errors
from flowloom.domain import run
from flowloom.store import columns, gates, tables

PROCESSES, RUNS = tables.processes.c, tables.runs.c
NOW: Final = columns.DatabaseNow()
# So long after its death nobody asks for it any more.
FORGOTTEN_AFTER: Final = timedelta(hours=1)
MAX_NAME: Final = 255


@dataclass(frozen=True, slots=True)
class Member:
    """One process: its row's id, what it does, how many runs at a time, after how long a silence it is dead, and what
    tells its secret key from others."""

    id: int
    role: str
    concurrency: int
    silence: timedelta
    key: str


def name() -> str:
    """This process as an operator finds it: host and process id."""
    return f"{socket.gethostname()}/{os.getpid()}"[:MAX_NAME]


def register(connection: Connection, role: str, concurrency: int, silence: timedelta, key: str) -> Member:
    """Say for the first time that this process lives. `key` tells its secret key from others.

    Raises Conflict where those that live have another: what one seals the other could not open.
    """
    others = select(PROCESSES.name).where(PROCESSES.key_digest != key, seen_within(silence))
    if (other := connection.scalar(others.limit(1))) is not None:
        raise errors.Conflict(
            f"The process {other} works with another secret key: give FLOWLOOM_SECRET_KEY the same value "
            "for all processes."
        )
    made = Member(0, role, concurrency, silence, key)
    id = connection.execute(insert(tables.processes).values(_values(made)).returning(PROCESSES.id))
    return replace(made, id=id.scalar_one())


def beat(connection: Connection, member: Member, running: int) -> None:
    """Say that a process still lives, also if it was forgotten meanwhile."""
    still = update(tables.processes).where(PROCESSES.id == member.id).values(seen_at=NOW, running=running)
    if not connection.execute(still).rowcount:
        values = {"id": member.id, **_values(member)}
        connection.execute(insert(tables.processes).values(values))


def _values(member: Member) -> dict[str, Any]:
    return {
        "role": member.role,
        "name": name(),
        "key_digest": member.key,
        "concurrency": member.concurrency,
        "running": 0,
        "started_at": NOW,
        "seen_at": NOW,
    }


def leave(connection: Connection, id: int) -> None:
    """Forget a process that ends, and put what it still worked on back into the queue."""
    requeue(connection, RUNS.worker_id == id)
    connection.execute(delete(tables.processes).where(PROCESSES.id == id))


def forget_the_dead(connection: Connection) -> None:
    """Forget who was not seen for an hour."""
    connection.execute(delete(tables.processes).where(not_(seen_within(FORGOTTEN_AFTER))))


def seen_within(silence: timedelta | BindParameter[int]) -> ColumnElement[bool]:
    """The processes that were seen in the last so long; a parameter counts microseconds."""
    micros = silence // columns.MICROSECOND if isinstance(silence, timedelta) else silence
    return PROCESSES.seen_at >= type_coerce(type_coerce(NOW, BigInteger) - micros, columns.Instant)


def of_the_dead(silence: timedelta) -> ColumnElement[bool]:
    """The runs whose worker was not seen for so long, or is not known."""
    alive = select(PROCESSES.id).where(seen_within(silence))
    return or_(RUNS.worker_id.is_(None), RUNS.worker_id.not_in(alive))


def requeue(connection: Connection, *which: ColumnElement[bool]) -> list[int]:
    """Put those of the started runs that wait for nothing back into the queue; their ids."""
    requeued = update(tables.runs).where(gates.worked_on(RUNS), *which).values(status=run.Status.QUEUED)
    return list(connection.scalars(requeued.returning(RUNS.id)))


def worked_on(
    connection: Connection, worker_id: int, working: Collection[int]
) -> dict[int, tuple[int, bool]]:
    """What the database says that a worker works on: {run: (fence, is a stop asked for)}.

    What it is not `working` on was claimed for it, and it did not hear of that: it goes back into the queue.
    """
    mine = select(RUNS.id, RUNS.fence, RUNS.stop_requested).where(
        gates.worked_on(RUNS), RUNS.worker_id == worker_id
    )
    rows = connection.execute(mine).all()
    if unheard := [row.id for row in rows if row.id not in working]:
        requeue(connection, RUNS.id.in_(unheard), RUNS.worker_id == worker_id)
    return {row.id: (row.fence, row.stop_requested) for row in rows if row.id in working}
