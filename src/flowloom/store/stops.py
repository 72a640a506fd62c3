"""Stopping runs: what waits ends at once, what is worked on when its worker hears of it, children with their parent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, or_, select, update

from flowloom.domain import run
from flowloom.store import endings, journal, tables

RUNS = tables.runs.c


@dataclass(slots=True)
class Stopped:
    """The runs that ended at once, and those whose workers are still to be told."""

    ended: list[int] = field(default_factory=list)
    ordered: list[int] = field(default_factory=list)


def stop(connection: Connection, row: Row[Any], at: datetime, stopped: Stopped) -> None:
    """Stop an unfinished run and those that it waits for; add them to what was stopped."""
    if _end_waiting(connection, row, at):
        stopped.ended.append(row.id)
    else:
        connection.execute(update(tables.runs).where(RUNS.id == row.id).values(stop_requested=True))
        stopped.ordered.append(row.id)
    for child in _awaited(connection, row.id):
        stop(connection, child, at, stopped)


def stop_children(connection: Connection, parent: Row[Any], at: datetime, stopped: Stopped) -> None:
    """Stop the runs that a run still waits for which ends now, unless somebody else has ended it."""
    # It may be done again where its group could not be written.
    stopped.ended, stopped.ordered = [], []
    ours = select(RUNS.id).where(
        RUNS.id == parent.id, RUNS.fence == parent.fence, RUNS.status == run.Status.STARTED
    )
    if connection.scalar(ours) is None:
        return
    for child in _awaited(connection, parent.id):
        stop(connection, child, at, stopped)


def _end_waiting(connection: Connection, row: Row[Any], at: datetime) -> bool:
    """End a run that nobody works on: queued, or waiting outside of memory."""
    waits = or_(RUNS.status == run.Status.QUEUED, RUNS.resume_at.is_not(None))
    waiting = update(tables.runs).where(RUNS.id == row.id, RUNS.status.in_(run.UNFINISHED), waits)
    words = "The run was stopped." if row.fence else "The run was stopped before it began."
    values = {
        "status": run.Status.STOPPED,
        "finished_at": at,
        "summary": {"steps": _steps(row), "error": {"message": words}},
        "stop_requested": True,
        "resume_at": None,
    }
    if not connection.execute(waiting.values(values)).rowcount:
        return False
    journal.add_metrics(connection, [_end(row, at)])
    parents = [row.parent_run_id] if row.is_awaited else []
    endings.settle(connection, {row.id: run.Status.STOPPED}, parents, at, claimants=[row.id])
    return True


def _awaited(connection: Connection, run_id: int) -> Sequence[Row[Any]]:
    children = select(tables.runs).where(
        RUNS.parent_run_id == run_id, RUNS.is_awaited, RUNS.status.in_(run.UNFINISHED)
    )
    return connection.execute(children.order_by(RUNS.id)).all()


def _end(row: Row[Any], at: datetime) -> journal.End:
    return journal.End(
        run_id=row.id,
        fence=row.fence,
        flow_id=row.flow_id,
        version_id=row.flow_version_id,
        iteration=row.iteration,
        status=run.Status.STOPPED,
        at=at,
        has_warnings=row.has_warnings,
        summary={},
        metrics=_metrics(row, at),
    )


def _steps(row: Row[Any]) -> list[dict[str, Any]]:
    """What the steps of a waiting run did before it was stopped."""
    steps: list[dict[str, Any]] = (row.summary or {}).get("steps", [])
    return steps


def _metrics(row: Row[Any], at: datetime) -> dict[journal.MetricKey, int]:
    if row.started_at is None:
        return {}
    counted = {(type_, key): amount for type_, key, amount in (row.summary or {}).get("counted", ())}
    return {**counted, **journal.measured(row, at, len(_steps(row)))}
