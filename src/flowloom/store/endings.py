"""What a run's end brings with it, in the same transaction, besides its state and its metrics."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection, exists, select, update

from flowloom.domain import run
from flowloom.store import pools, tables

RUNS = tables.runs.c
_CHILD = tables.runs.alias("child")


def settle(
    connection: Connection,
    ended: Mapping[int, run.Status],
    parents: Collection[int],
    at: datetime,
    claimants: Collection[int] = (),
    moved: Collection[int] = (),
) -> None:
    """What comes of the end of these runs, whose rows say so already.

    `parents` are the runs that await them; `claimants` those of them that may hold keys of data pools, `moved` those
    whose payloads changed their places.
    """
    for run_id in claimants:
        pools.settle(connection, run_id, ended[run_id], has_moved=run_id in moved)
    for parent_id in sorted(parents):
        wake(connection, parent_id, at)


def wake(connection: Connection, parent_id: int, at: datetime) -> None:
    """Take up a run that waits for children, once none that it awaits goes on.

    Held first: of two children that end in two transactions, one has to see that the other has ended, and the end of a
    child that the run is being parked.
    """
    connection.execute(select(RUNS.id).where(RUNS.id == parent_id).with_for_update(key_share=True))
    goes_on = exists().where(
        _CHILD.c.parent_run_id == RUNS.id, _CHILD.c.is_awaited, _CHILD.c.status < run.Status.SUCCESS
    )
    waiting = (RUNS.id == parent_id, RUNS.status == run.Status.STARTED, RUNS.resume_at.is_not(None))
    connection.execute(update(tables.runs).where(*waiting, ~goes_on).values(resume_at=at))
