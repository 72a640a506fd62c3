"""Stopping runs: what waits ends at once, what is worked on when its worker hears of it, children with their parent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row, or_, select, update

from flowloom import errors
from flowloom.domain import run
from flowloom.services import runs
from flowloom.services.actor import Actor
from flowloom.store import endings, journal, query, tables

RUNS = tables.runs.c
MAX_AT_ONCE: Final = 1000


@dataclass(slots=True)
class Stopped:
    """The runs that ended at once, and those whose workers are still to be told."""

    ended: list[int] = field(default_factory=list)
    ordered: list[int] = field(default_factory=list)


def stop(connection: Connection, actor: Actor, id: int) -> Stopped:
    """Stop a run and the runs that it waits for. Raises Missing, or Conflict when it has ended."""
    row = runs.load(connection, actor, id)
    if run.is_finished(row.status):
        raise errors.Conflict(f"Run {id} has ended already; an ended run never changes.")
    stopped = Stopped()
    _stop(connection, actor, row, stopped)
    return stopped


def stop_matching(connection: Connection, actor: Actor, values: Mapping[str, Any]) -> Stopped:
    """Stop up to 1,000 unfinished runs that a list's filters name."""
    asked = query.Page(per_page=MAX_AT_ONCE, sort="id", values=values)
    matching = query.matching(runs.LISTING, asked).where(RUNS.status.in_(run.UNFINISHED))
    rows = connection.execute(matching, query.arguments(asked, company_id=actor.company_id)).all()
    stopped = Stopped()
    for row in rows:
        if row.id not in {*stopped.ended, *stopped.ordered}:
            _stop(connection, actor, row, stopped)
    return stopped


def _stop(connection: Connection, actor: Actor, row: Row[Any], stopped: Stopped) -> None:
    if _end_waiting(connection, actor, row):
        stopped.ended.append(row.id)
    else:
        connection.execute(update(tables.runs).where(RUNS.id == row.id).values(stop_requested=True))
        stopped.ordered.append(row.id)
    for child in _awaited(connection, row.id):
        _stop(connection, actor, child, stopped)


def _end_waiting(connection: Connection, actor: Actor, row: Row[Any]) -> bool:
    """End a run that nobody works on: queued, or waiting outside of memory."""
    waits = or_(RUNS.status == run.Status.QUEUED, RUNS.resume_at.is_not(None))
    waiting = update(tables.runs).where(RUNS.id == row.id, RUNS.status.in_(run.UNFINISHED), waits)
    words = "The run was stopped." if row.fence else "The run was stopped before it began."
    steps = (row.summary or {}).get("steps", [])
    values = {
        "status": run.Status.STOPPED,
        "finished_at": actor.at,
        "summary": {"steps": steps, "error": {"message": words}},
        "stop_requested": True,
        "resume_at": None,
    }
    if not connection.execute(waiting.values(values)).rowcount:
        return False
    journal.add_metrics(connection, [_end(row, actor)])
    parents = [row.parent_run_id] if row.is_awaited else []
    endings.settle(connection, {row.id: run.Status.STOPPED}, parents, actor.at, claimants=[row.id])
    return True


def _awaited(connection: Connection, run_id: int) -> Sequence[Row[Any]]:
    children = select(tables.runs).where(
        RUNS.parent_run_id == run_id, RUNS.is_awaited, RUNS.status.in_(run.UNFINISHED)
    )
    return connection.execute(children).all()


def _end(row: Row[Any], actor: Actor) -> journal.End:
    return journal.End(
        run_id=row.id,
        fence=row.fence,
        flow_id=row.flow_id,
        version_id=row.flow_version_id,
        iteration=row.iteration,
        status=run.Status.STOPPED,
        at=actor.at,
        has_warnings=False,
        summary={},
    )
