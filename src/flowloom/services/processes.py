"""Processes as an operator sees them: who works on this database together, and who still lives.

They belong to the installation, not to a company. A server that is alone is none of them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, BindParameter, Connection, Row, bindparam, func, select

from flowloom.services import views
from flowloom.services.actor import Actor
from flowloom.store import columns, processes, query, tables

PROCESSES = tables.processes.c
WORKER: Final = "worker"
_SILENCE: BindParameter[int] = bindparam("silence", type_=BigInteger)
_IS_ALIVE = processes.seen_within(_SILENCE).label("is_alive")

LISTING = query.Listing(
    # Where nobody leads any more, nobody forgets the dead either.
    select=select(tables.processes, _IS_ALIVE).where(processes.seen_within(processes.FORGOTTEN_AFTER)),
    id=PROCESSES.id,
    sorts={"is_alive": _IS_ALIVE, **{name: PROCESSES[name] for name in ("role", "started_at", "seen_at")}},
)


class Workers(NamedTuple):
    """The workers that live: how many there are, and how many of their places are taken."""

    alive: int
    running: int
    places: int


def page(
    connection: Connection, _actor: Actor, asked: query.Page, silence: timedelta
) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of the processes; who was not seen for so long counts as dead, and after an hour is not shown."""
    found = query.fetch(connection, LISTING, asked, silence=silence // columns.MICROSECOND)
    return found, [_view(row) for row in found.rows]


def workers(connection: Connection, silence: timedelta) -> Workers | None:
    """Who runs what waits; None where no process lives beside others, so that the server is alone."""
    added = (
        select(PROCESSES.role, func.count(), func.sum(PROCESSES.running), func.sum(PROCESSES.concurrency))
        .where(processes.seen_within(silence))
        .group_by(PROCESSES.role)
    )
    by_role = {role: Workers(*numbers) for role, *numbers in connection.execute(added)}
    return by_role.get(WORKER, Workers(0, 0, 0)) if by_role else None


def _view(row: Row[Any]) -> dict[str, Any]:
    fields = {name: row._mapping[name] for name in ("id", "role", "name", "concurrency", "running")}
    times = {name: views.instant(row._mapping[name]) for name in ("started_at", "seen_at")}
    return {**fields, **times, "is_alive": bool(row.is_alive)}
