"""Runs of other flows that a retry comes to: what was started before is gone on with, and not started anew.

One that succeeded is taken over, one that goes on is waited for, one that failed or was stopped is done again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, exists, select, update

from flowloom.domain import graph, run
from flowloom.store import blobs, gates, places, queue, repeats, tables

RUNS, PAYLOADS = tables.runs.c, tables.payloads.c
_OTHER: Final = tables.runs.alias("other_parent")
_GOOD: Final = (run.Status.SUCCESS, run.Status.PARTIAL)


def start(connection: Connection, ids: queue.RunIds, start: queue.Start) -> queue.Started:
    """Go on with the run that stands at the place of a start, or start one; `replayed`: it had been started before.

    Raises what queue.choose raises.
    """
    assert start.parent is not None
    taken, before = _found(connection, start, start.parent)
    if before is not None:
        repeats.hold(connection, before.id)
        # Somebody may have retried it by hand before it was held.
        taken, before = _found(connection, start, start.parent)
    if taken is not None:
        return queue.Started(taken, replayed=True)
    if before is not None:
        start = _again(connection, start, before)
    [answer] = queue.enqueue(connection, ids, [start])
    if isinstance(answer, Exception):
        raise answer
    if before is not None and start.retry is not None:
        repeats.take_up(connection, before.id, answer.run_id, start.retry.forget_steps, start.at)
    return answer


def _found(
    connection: Connection, start: queue.Start, parent: queue.Parent
) -> tuple[int | None, Row[Any] | None]:
    """The run that a start takes over; if there is none, the one that it does again; if there is none, neither."""
    child_id = places.find(connection, parent.place)
    family = [] if child_id is None else _family(connection, child_id)
    taken = _taken_over(connection, start, parent, family)
    return taken, _to_repeat(connection, start, family) if taken is None else None


def _family(connection: Connection, child_id: int) -> Sequence[Row[Any]]:
    """A run and what was to do the whole of it again, and again; the one that stands at the place comes first.

    The others follow by age. A re-drive is none of them: it does only a part.
    """
    found = select(RUNS.id).where(RUNS.id == child_id).cte("family", recursive=True)
    retries = select(RUNS.id).where(RUNS.retry_flow_run_id == found.c.id, RUNS.start_step.is_(None))
    found = found.union(retries)
    rows = select(tables.runs).where(RUNS.id.in_(select(found.c.id)))
    family = connection.execute(rows.order_by(RUNS.queued_at, RUNS.id)).all()
    return sorted(family, key=lambda row: row.id != child_id)


def _taken_over(
    connection: Connection, start: queue.Start, parent: queue.Parent, family: Sequence[Row[Any]]
) -> int | None:
    """The run of a family that is done already, or goes on; None when there is none, or nothing but failures."""
    if family and (family[0].parent_run_id == parent.place.run_id or not parent.is_awaited):
        # It was started here and now, before a crash. And what nobody waits for is only to be started.
        return int(family[0].id)
    for row in reversed(family):
        if row.status in _GOOD:
            return int(row.id)
    for row in reversed(family):
        if not run.is_finished(row.status):
            _adopt(connection, start, parent, row)
            return int(row.id)
    return None


def _adopt(connection: Connection, start: queue.Start, parent: queue.Parent, row: Row[Any]) -> None:
    """Make a run that goes on a child of the run that waits for it now, unless another that goes on does.

    One that is being stopped stays as it is: once it has ended it is done again.
    """
    is_awaited_elsewhere = exists().where(
        _OTHER.c.id == RUNS.parent_run_id, RUNS.is_awaited, gates.unfinished(_OTHER.c)
    )
    adopted = update(tables.runs).where(
        RUNS.id == row.id, gates.unfinished(RUNS), RUNS.stop_requested.is_(False), ~is_awaited_elsewhere
    )
    values = {
        "parent_run_id": parent.place.run_id,
        "parent_step_key": parent.place.step_key,
        "is_awaited": True,
        "parallel_limit": parent.parallel_limit,
        "depth": parent.depth,
    }
    if connection.execute(adopted.values(values)).rowcount:
        gates.move(connection, row, start.at)
        places.keep(connection, [places.note(start.company_id, parent.place, row.id, start.at)])


def _to_repeat(connection: Connection, start: queue.Start, family: Sequence[Row[Any]]) -> Row[Any] | None:
    """The newest run of a family that sends under the keys of the first, if it was given what is to be given now."""
    same = [row for row in family if row.origin_run_id == family[0].origin_run_id]
    return same[-1] if same and _is_given(connection, same[-1], start) else None


def _is_given(connection: Connection, row: Row[Any], start: queue.Start) -> bool:
    """Whether a run was given the payload, the meta and the variables of a start."""
    found = select(tables.payloads).where(
        PAYLOADS.run_id == row.id, PAYLOADS.step_key == graph.TRIGGER, PAYLOADS.kind == "start"
    )
    given = connection.execute(found).one_or_none()
    if given is None or start.body is None:
        return False
    body = start.body
    return (
        (given.bytes, given.encoding, given.body) == (body.size_bytes, body.encoding, body.body)
        and blobs.is_same(given.blob, body.blob)
        and (given.content_type, given.meta or {}) == (start.content_type, dict(start.meta))
        and (row.variables or {}) == msgspec.json.decode(msgspec.json.encode(start.variables or {}))
    )


def _again(connection: Connection, start: queue.Start, row: Row[Any]) -> queue.Start:
    """The start that does a run again on the version that the start would run. Raises what queue.choose raises."""
    chosen = queue.choose(queue.current_versions(connection, [start]), start)
    retry = repeats.whole(connection, row, queue.pinned(connection, chosen))
    return replace(start, trigger=run.Trigger.RETRY, body=None, variables=row.variables, retry=retry)
