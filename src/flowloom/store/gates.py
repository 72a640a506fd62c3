"""Gates: what a run that is ready must wait for all the same, and how it is let go when that ends.

Runs of one key (lane) or of one schedule that does not overlap go one at a time, in the order of their ids; the
runs of a flow, and the children of one step of a run, have so many places. A run that has begun (it was claimed
once and has not ended) keeps its place while it waits outside of memory or in the queue again.

A run that a claim finds waiting is put aside, whoever it waits for is watched, and the end of a watched run lets
the next one go: so nothing is looked at again and again, however long the queue is.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Text,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    null,
    or_,
    select,
    update,
)

from flowloom.store import holds, tables

RUNS = tables.runs.c
# Ends that one claim deals with; the next deals with the rest.
MAX_ENDS: Final = 500
TURN_KEYS: Final = ("lane", "serial_key")


class Gate(enum.IntEnum):
    """How a run stands to others. Only OPEN and WATCHED ones are looked at when runs are claimed."""

    OPEN = 0
    WATCHED = 1
    TURN = 2
    SIBLINGS = 3
    FLOW = 4


class Crowd(NamedTuple):
    """Runs that share a number of places: those of a flow, or the children of one step of a run."""

    gate: Gate
    of: tuple[Any, ...]
    limit: int

    def members(self) -> ColumnElement[bool]:
        if self.gate == Gate.FLOW:
            return and_(RUNS.flow_id == self.of[0])
        return and_(RUNS.parent_run_id == self.of[0], RUNS.parent_step_key == self.of[1])


def number(value: int) -> ColumnElement[int]:
    """A number as it stands in the conditions of the indexes: of a parameter no database knows what it implies."""
    return literal_column(str(value))


def unfinished(of: Any) -> ColumnElement[bool]:
    """The runs that have not ended."""
    return and_(of.status < number(2))


def begun(of: Any) -> ColumnElement[bool]:
    """The runs that have begun and not ended: started ones, and those that are queued again."""
    return and_(of.status < number(2), of.fence > number(0))


def worked_on(of: Any) -> ColumnElement[bool]:
    """The runs that somebody works on: started, and not waiting outside of memory."""
    return and_(of.status == number(1), of.resume_at.is_(None))


def is_open(of: Any) -> ColumnElement[bool]:
    """The queued runs that are not put aside."""
    return and_(of.status == number(0), of.gate < number(2))


def ahead(key: str) -> ColumnElement[int | None]:
    """The run of the same lane or serial key that a run not yet begun waits for; NULL: none."""
    same, other = _same(key)
    holds = select(other.id).where(same, other.fence > number(0)).limit(1).scalar_subquery()
    earlier = select(func.min(other.id)).where(same, other.fence == number(0), other.id < RUNS.id)
    is_free = or_(RUNS[key].is_(None), RUNS.fence > number(0))
    return case((is_free, null()), else_=func.coalesce(holds, earlier.scalar_subquery()))


def crowds(row: Row[Any]) -> list[Crowd]:
    """Where a run needs a place. `row` has the parent's columns, `flow_id` and the flow's `flow_limit`."""
    found: list[Crowd] = []
    if row.parallel_limit and row.parent_run_id is not None:
        found.append(Crowd(Gate.SIBLINGS, (row.parent_run_id, row.parent_step_key), row.parallel_limit))
    if row.flow_limit:
        found.append(Crowd(Gate.FLOW, (row.flow_id,), row.flow_limit))
    return found


def shared(row: Row[Any]) -> list[str]:
    """What a run has in common with those that may wait for it, or it for them, each as a word of its own."""
    words = [f"{key} {row._mapping[key]}" for key in TURN_KEYS if row._mapping[key] is not None]
    return words + [" ".join(map(str, place)) for place in _places(row)]


def count_begun(connection: Connection, crowd: Crowd) -> int:
    """How many places of a crowd are taken."""
    return connection.scalar(select(func.count(RUNS.id)).where(crowd.members(), begun(RUNS))) or 0


class Places:
    """Judges the candidates of one claim, and puts aside those that must wait."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._taken: dict[tuple[Any, ...], int] = {}

    def take(self, row: Row[Any]) -> Gate:
        """OPEN, having taken its places, for a run that may go; else what holds it up."""
        if row.fence:
            return Gate.OPEN
        if any(row._mapping[f"ahead_{key}"] is not None for key in TURN_KEYS):
            return Gate.TURN
        needed = crowds(row)
        for crowd in needed:
            if self._count(crowd) >= crowd.limit:
                return crowd.gate
        for crowd in needed:
            self._taken[crowd.gate, *crowd.of] += 1
        return Gate.OPEN

    def put_aside(self, waiting: Sequence[tuple[Row[Any], Gate]]) -> int:
        """Put runs aside until one that they wait for ends; how many. Those that were judged to go have begun."""
        held = self._behind([row for row, gate in waiting if gate == Gate.TURN])
        together: dict[Crowd, list[int]] = {}
        for row, gate in waiting:
            for crowd in crowds(row):
                if crowd.gate == gate:
                    together.setdefault(crowd, []).append(row.id)
        held += sum([self._outside(crowd, ids) for crowd, ids in together.items()])
        for row, gate in waiting:
            self._pass_on(row, gate)
        return held

    def _count(self, crowd: Crowd) -> int:
        key = (crowd.gate, *crowd.of)
        if key not in self._taken:
            self._taken[key] = count_begun(self._connection, crowd)
        return self._taken[key]

    def _behind(self, rows: Sequence[Row[Any]]) -> int:
        if not rows:
            return 0
        before = {row._mapping[f"ahead_{key}"] for row in rows for key in TURN_KEYS} - {None}
        _watch(self._connection, RUNS.id.in_(before), unfinished(RUNS))
        hold = {"run_ids": [row.id for row in rows], "hold": holds.line("turn", 0, self._now)}
        return self._connection.execute(_HOLD_BEHIND, hold).rowcount

    def _outside(self, crowd: Crowd, run_ids: Sequence[int]) -> int:
        # Watched first and counted after: a run that ends between the two is one that was not counted.
        _watch(self._connection, crowd.members(), begun(RUNS))
        taken = self._taken[crowd.gate, *crowd.of] = count_begun(self._connection, crowd)
        if taken < crowd.limit:
            return 0
        hold = holds.added(holds.line(crowd.gate.name.lower(), crowd.limit, self._now))
        held = update(tables.runs).where(RUNS.id.in_(run_ids), is_open(RUNS))
        return self._connection.execute(held.values(gate=crowd.gate, holds=hold)).rowcount

    def _pass_on(self, row: Row[Any], gate: Gate) -> None:
        """A run that was let go for a place that it cannot take now leaves it to the next."""
        if row.gate == Gate.WATCHED:
            for crowd in crowds(row):
                if crowd.gate > gate:
                    _let_next(self._connection, crowd, self._now)


def let_go(connection: Connection, now: datetime, lock: Callable[[set[str]], None] | None = None) -> None:
    """Let go who waited for runs that have ended meanwhile.

    Where others may put runs aside at the same time, `lock` holds them off: what they do not see ended they put
    aside for good, unless that is seen here.
    """
    ended = connection.execute(_ENDED).all()
    if not ended:
        return
    if lock is not None:
        lock({key for row in ended for key in shared(row)})
    ids = {"run_ids": [row.id for row in ended]}
    for statement in _LET_NEXT_IN_LINE:
        connection.execute(statement, {**ids, "end_of_hold": holds.end_of_line(now)})
    for (gate, *of), count in Counter(place for row in ended for place in _places(row)).items():
        _let_next(connection, Crowd(gate, tuple(of), 0), now, count)
    connection.execute(_TOLD, ids)


def reopen(connection: Connection, flow_id: int, now: datetime) -> None:
    """Look again at the runs that wait for a place in their flow: its limit has changed."""
    held = and_(RUNS.flow_id == flow_id, RUNS.status == number(0), RUNS.gate == number(Gate.FLOW))
    connection.execute(update(tables.runs).where(held).values(_let_go(holds.end_of_line(now))))


def _let_go(end_of_hold: Any) -> dict[str, Any]:
    """What is to be changed of a run that is looked at again."""
    return {"gate": Gate.WATCHED, "holds": holds.closed(end_of_hold)}


def move(connection: Connection, row: Row[Any], now: datetime) -> None:
    """Look again where a run, as `row` says it was, left the children of one step for those of another run's."""
    held = and_(RUNS.id == row.id, RUNS.status == number(0), RUNS.gate == number(Gate.SIBLINGS))
    connection.execute(update(tables.runs).where(held).values(_let_go(holds.end_of_line(now))))
    if row.fence and row.parent_run_id is not None:
        _let_next(connection, Crowd(Gate.SIBLINGS, (row.parent_run_id, row.parent_step_key), 0), now)


def _same(key: str) -> tuple[ColumnElement[bool], Any]:
    """The unfinished runs with the same lane or serial key, as a condition on the columns of another."""
    other = tables.runs.alias(f"same_{key}").c
    return and_(other[key] == RUNS[key], unfinished(other)), other


def _is_behind(key: str) -> Iterable[ColumnElement[bool]]:
    """The same as `ahead`, of runs that are watched."""
    same, other = _same(key)
    watched = and_(same, other.gate > number(0))
    yield select(other.id).where(watched, other.fence > number(0)).exists()
    yield select(other.id).where(watched, other.fence == number(0), other.id < RUNS.id).exists()


_HOLD_BEHIND = (
    update(tables.runs)
    .where(
        RUNS.id.in_(bindparam("run_ids", expanding=True)),
        is_open(RUNS),
        or_(*(condition for key in TURN_KEYS for condition in _is_behind(key))),
    )
    .values(gate=Gate.TURN, holds=holds.added(bindparam("hold", type_=Text)))
)
_ENDED = (
    select(RUNS.id, RUNS.flow_id, RUNS.parent_run_id, RUNS.parent_step_key, *(RUNS[key] for key in TURN_KEYS))
    .where(RUNS.status > number(1), RUNS.gate > number(0))
    .order_by(RUNS.id)
    .limit(MAX_ENDS)
)


def _watch(connection: Connection, *which: ColumnElement[bool]) -> None:
    unwatched = update(tables.runs).where(*which, RUNS.gate == number(Gate.OPEN))
    connection.execute(unwatched.values(gate=Gate.WATCHED))


def _places(row: Row[Any]) -> Iterable[tuple[Any, ...]]:
    """Where a place is free now that a run has ended, whether or not somebody waits for it."""
    yield Gate.FLOW, row.flow_id
    if row.parent_run_id is not None:
        yield Gate.SIBLINGS, row.parent_run_id, row.parent_step_key


def _let_next(connection: Connection, crowd: Crowd, now: datetime, count: int = 1) -> None:
    """Look again at as many runs as may wait for a place in a crowd."""
    waiting = select(RUNS.id).where(crowd.members(), RUNS.gate == number(crowd.gate)).limit(count)
    if crowd.gate == Gate.FLOW:
        first = waiting.where(RUNS.status == number(0)).order_by(RUNS.priority, RUNS.ready_at, RUNS.id)
    else:
        first = waiting.where(unfinished(RUNS), RUNS.fence == number(0)).order_by(RUNS.id)
    run_ids = connection.scalars(first).all()
    if run_ids:
        held = and_(RUNS.id.in_(run_ids), RUNS.status == number(0), RUNS.gate == number(crowd.gate))
        connection.execute(update(tables.runs).where(held).values(_let_go(holds.end_of_line(now))))


def _let_next_in_line(key: str) -> Any:
    """Look again at the first of those that wait for their turn behind runs that have ended."""
    ended, line = tables.runs.alias("ended").c, tables.runs.alias("line").c
    first = select(func.min(line.id)).where(
        line[key] == ended[key], unfinished(line), line.fence == number(0)
    )
    of_ended = ended.id.in_(bindparam("run_ids", expanding=True))
    next_ids = select(first.scalar_subquery()).where(of_ended, ended[key].is_not(None))
    # One that nobody has looked at yet may have others behind it that were put aside: its end must let them go.
    first_in_line = RUNS.gate.in_([number(Gate.OPEN), number(Gate.TURN)])
    held = and_(RUNS.id.in_(next_ids), RUNS.status == number(0), first_in_line)
    return update(tables.runs).where(held).values(_let_go(bindparam("end_of_hold", type_=Text)))


_LET_NEXT_IN_LINE = [_let_next_in_line(key) for key in TURN_KEYS]
_TOLD = update(tables.runs).where(RUNS.id.in_(bindparam("run_ids", expanding=True))).values(gate=Gate.OPEN)
