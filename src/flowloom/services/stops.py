"""Stopping runs, one or all that a list's filters name; see store/stops for what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection

from flowloom import errors
from flowloom.domain import run
from flowloom.services import runs
from flowloom.services.actor import Actor
from flowloom.store import query, stops, tables

RUNS = tables.runs.c
MAX_AT_ONCE: Final = 1000


def stop(connection: Connection, actor: Actor, id: int) -> stops.Stopped:
    """Stop a run and the runs that it waits for. Raises Missing, or Conflict when it has ended."""
    row = runs.load(connection, actor, id)
    if run.is_finished(row.status):
        raise errors.Conflict(f"Run {id} has ended already; an ended run never changes.")
    stopped = stops.Stopped()
    stops.stop(connection, row, actor.at, stopped)
    return stopped


def stop_matching(connection: Connection, actor: Actor, values: Mapping[str, Any]) -> stops.Stopped:
    """Stop up to 1,000 unfinished runs that a list's filters name."""
    asked = query.Page(per_page=MAX_AT_ONCE, sort="id", values=values)
    matching = query.matching(runs.LISTING, asked).where(RUNS.status.in_(run.UNFINISHED))
    rows = connection.execute(matching, query.arguments(asked, company_id=actor.company_id)).all()
    stopped = stops.Stopped()
    for row in rows:
        if row.id not in {*stopped.ended, *stopped.ordered}:
            stops.stop(connection, row, actor.at, stopped)
    return stopped
