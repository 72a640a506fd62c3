"""Doing an ended run again, whoever asks for it: what is reused of it, and what of it the new run takes up."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from flowloom.domain import graph
from flowloom.store import definitions, pools, queue, tables, takeovers

RUNS, LETTERS = tables.runs.c, tables.dead_letters.c


def hold(connection: Connection, run_id: int) -> None:
    """Let nobody else retry a run or resolve its dead letters until the end of this transaction."""
    connection.execute(select(RUNS.id).where(RUNS.id == run_id).with_for_update())
    letters = select(LETTERS.id).where(LETTERS.run_id == run_id).order_by(LETTERS.id)
    connection.execute(letters.with_for_update())


def whole(
    connection: Connection, row: Row[Any], chosen: queue.Chosen, from_step: str | None = None
) -> queue.Retry:
    """The same run again: what was recorded is reused up to where it begins anew, at a step of this key or a change.

    Raises Missing when a definition is gone.
    """
    definition = definitions.load(connection, chosen.content_hash)
    forgotten = _forgotten(connection, row, chosen, definition, from_step)
    # What a de-dupe let through is looked at again, unless a step is named: another run may have taken it meanwhile.
    again = set() if from_step is not None else _de_dupes(definition)
    return queue.Retry(
        run_id=row.id,
        origin_run_id=row.origin_run_id,
        as_of=row.as_of,
        chosen=chosen,
        forget_steps=sorted(forgotten | again),
        moved_steps=sorted(_below(definition, forgotten)),
        start_step=row.start_step,
    )


def _forgotten(
    connection: Connection,
    row: Row[Any],
    chosen: queue.Chosen,
    definition: graph.Definition,
    from_step: str | None,
) -> set[str]:
    """The keys of the steps to begin again with and of all that follow them."""
    again: set[str] = set()
    if chosen.content_hash != row.content_hash:
        again = definition.changed_since(definitions.load(connection, row.content_hash))
    if from_step is not None:
        again.add(from_step)
    return again | _below(definition, again)


def _de_dupes(definition: graph.Definition) -> set[str]:
    return {step.key for step in definition.steps if step.microservice == "de-dupe"}


def _below(definition: graph.Definition, steps: Collection[str]) -> set[str]:
    """The keys of all the steps that follow these, in whichever place."""
    below: set[str] = set()
    for step in definition.steps:
        if step.parent in steps or step.parent in below:
            below.add(step.key)
    return below


def take_up(
    connection: Connection,
    run_id: int,
    to_run_id: int,
    forgotten: Collection[str],
    at: datetime,
    user_id: int | None = None,
) -> None:
    """Give a run that does another one again that one's claims in data pools and its open dead letters."""
    pools.hand_on(connection, run_id, to_run_id, forgotten)
    mark_retried(connection, run_id, to_run_id, at, user_id)


def mark_retried(
    connection: Connection,
    run_id: int,
    retry_run_id: int,
    at: datetime,
    user_id: int | None,
    state: str = "retried",
) -> None:
    """Note that a retry of the run takes up its open dead letters, but for those of catch legs that it leaves out.

    One that takes up nothing else of the run drives them again: "re-driven", so that a later retry leaves them out.
    """
    found = select(LETTERS.id, LETTERS.position, LETTERS.state).where(LETTERS.run_id == run_id)
    letters = connection.execute(found).all()
    left_out = tuple(f"{one.position}.e" for one in letters if one.state in takeovers.RESOLVED)
    ids = [one.id for one in letters if one.state == "open" and not one.position.startswith(left_out)]
    values = {
        "state": state,
        "resolved_at": at,
        "resolved_by": user_id,
        "redrive_run_id": retry_run_id,
    }
    for at_once in pools.chunks(ids):
        taken_up = update(tables.dead_letters).where(LETTERS.id.in_(at_once), LETTERS.state == "open")
        connection.execute(taken_up.values(values))
