"""The journal: everything that is written of a run, gathered and committed in groups.

What is handed over while a group is being written joins the next one, and one executemany per table writes it. A
run's end and its metrics are one transaction.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, bindparam, case, literal, or_, select, update

from flowloom import errors
from flowloom.domain import run, sketch
from flowloom.store import alerts, children, database, endings, gates, many, queue, tables

T = TypeVar("T")
MetricKey = tuple[str, str]


@dataclass(slots=True, kw_only=True)
class End:
    """How a run ended. `metrics` is {(type, key): amount} besides the count of this status; `may_hold_claims`
    tells whether it may have claimed keys of data pools."""

    run_id: int
    fence: int
    flow_id: int
    version_id: int
    iteration: int
    status: run.Status
    at: datetime
    has_warnings: bool
    summary: Mapping[str, Any]
    metrics: Mapping[MetricKey, int] = field(default_factory=dict)
    may_hold_claims: bool = True
    # Payloads stood at other places in some steps than in others: a claim cannot be told by its place.
    has_moved: bool = False


@dataclass(slots=True, kw_only=True)
class Park:
    """A started run that leaves memory until `resume_at`, or with `for_child` until the runs that it awaits end."""

    run_id: int
    fence: int
    at: datetime
    resume_at: datetime
    for_child: bool
    has_warnings: bool
    # What its steps did so far, and as `counted` its metrics, for a stop that finds it waiting.
    summary: Mapping[str, Any]


class Superseded(Exception):
    """Another worker has the run now: nothing more that this one makes of it is kept."""


@dataclass(slots=True)
class Lines:
    """What is to be written of a run besides its state: rows by table, and what else its steps want to become true.

    `of_run` is the run and the fence under which it is worked on.
    """

    of_run: tuple[int, int] | None = None
    payloads: list[dict[str, Any]] = field(default_factory=list)
    logs: list[dict[str, Any]] = field(default_factory=list)
    dead_letters: list[dict[str, Any]] = field(default_factory=list)
    exchanges: list[dict[str, Any]] = field(default_factory=list)
    tracked: list[dict[str, Any]] = field(default_factory=list)
    writes: list[Callable[[Connection], None]] = field(default_factory=list)

    @property
    def noted(self) -> int:
        """How many rows there are that steps without effects make too."""
        return len(self.logs) + len(self.tracked)


@dataclass(slots=True)
class Entry:
    """What one caller hands over; written wholly or not at all."""

    waiter: asyncio.Future[Any]
    start: queue.Start | None = None
    lines: Lines | None = None
    end: End | None = None
    park: Park | None = None


class Journal:
    """Called on the event loop; writes on the database's writer. `reach` is told the named crash points.

    With several workers it is `fenced`: what one writes of a run that it lost is refused.
    """

    def __init__(
        self,
        db: database.Database,
        ids: queue.RunIds,
        reach: Callable[[str], None],
        *,
        fenced: bool = False,
    ) -> None:
        self._is_fenced = fenced
        self._write = write_fenced if fenced else write
        self._db = db
        self._ids = ids
        self._reach = reach
        self._lock = threading.Lock()
        self._entries: list[Entry] = []

    async def start(self, start: queue.Start, by: tuple[int, int] | None = None) -> queue.Started:
        """Queue a run; answers after its commit. Raises what queue.choose raises, and Busy when that takes too long.

        `by` is the run that starts it, and its fence. Raises Superseded for one that is lost.
        """
        entry = Entry(_waiter(), start=start, lines=Lines(of_run=by))
        try:
            started = await database.answered(self._hand_over(entry))
        except errors.Busy:
            self._take_back(entry)
            raise
        assert isinstance(started, queue.Started)
        return started

    async def start_again(self, start: queue.Start, by: tuple[int, int]) -> queue.Started:
        """The same for a run of another flow that a retry comes to; see children.start. Never in a group."""
        return await self.write(by, children.start, self._ids, start)

    async def write(self, of_run: tuple[int, int], work: Callable[..., T], *args: Any) -> T:
        """Do `work(connection, *args)` for a run in a transaction of its own. Raises Superseded."""

        def written(connection: Connection) -> T:
            if self._is_fenced and _lost(connection, {of_run}):
                raise Superseded
            return work(connection, *args)

        return await self._db.write(written)

    async def record(self, lines: Lines) -> None:
        """Keep the checkpoints and log lines of a step. Raises Superseded, as finish and park do."""
        await self._hand_over(Entry(_waiter(), lines=lines))

    async def finish(self, end: End, lines: Lines) -> bool:
        """End a run; False when it was not ours to end any more."""
        return bool(await self._hand_over(Entry(_waiter(), lines=lines, end=end)))

    async def park(self, park: Park, lines: Lines) -> None:
        """Let a started run wait outside of memory."""
        await self._hand_over(Entry(_waiter(), lines=lines, park=park))

    async def _hand_over(self, entry: Entry) -> Any:
        with self._lock:
            self._entries.append(entry)
            is_first = len(self._entries) == 1
        if is_first:
            asyncio.ensure_future(self._flush())  # noqa: RUF006 - every entry's waiter holds on to the outcome
        return await entry.waiter

    def _take_back(self, refused: Entry) -> None:
        """Do not begin to write what its caller was told is not kept."""
        with self._lock:
            self._entries = [entry for entry in self._entries if entry is not refused]

    async def _flush(self) -> None:
        taken: list[Entry] = []

        def work(connection: Connection) -> list[Any]:
            with self._lock:
                taken[:], self._entries = self._entries, []
            self._reach("journal-before-write")
            return self._write(connection, self._ids, taken)

        outcome = await _outcome(self._db.write_grouped(work))
        if isinstance(outcome, errors.Busy):
            self._fail(taken, outcome)
        elif isinstance(outcome, BaseException):
            await asyncio.gather(*(self._write_alone(entry) for entry in taken))
        else:
            self._reach("journal-after-commit")
            for entry, result in zip(taken, outcome, strict=True):
                _settle(entry.waiter, result)

    def _fail(self, taken: list[Entry], error: errors.Busy) -> None:
        """Nothing was kept. Without a connection the entries were not even taken: they fail too."""
        if not taken:
            with self._lock:
                taken, self._entries = self._entries, []
        for entry in taken:
            _settle(entry.waiter, error)

    async def _write_alone(self, entry: Entry) -> None:
        """One entry of a group that could not be written: only the faulty one shall fail."""
        alone = self._db.write_grouped(lambda connection: self._write(connection, self._ids, [entry])[0])
        _settle(entry.waiter, await _outcome(alone))


async def _outcome(work: Awaitable[Any]) -> Any:
    """What it answers, or the exception it ends with: whoever waits shall hear of any."""
    return (await asyncio.gather(work, return_exceptions=True))[0]


def _waiter() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()


def _settle(waiter: asyncio.Future[Any], result: Any) -> None:
    if waiter.done():
        return
    if isinstance(result, BaseException):
        waiter.set_exception(result)
    else:
        waiter.set_result(result)


def write_fenced(connection: Connection, ids: queue.RunIds, entries: Sequence[Entry]) -> list[Any]:
    """The same where several workers write: Superseded is the result of what is said of a run that is lost."""
    said = {entry.lines.of_run for entry in entries if entry.lines and entry.lines.of_run}
    lost = _lost(connection, said)
    if not lost:
        return write(connection, ids, entries)
    is_lost = [entry.lines is not None and entry.lines.of_run in lost for entry in entries]
    kept = [entry for entry, lost_it in zip(entries, is_lost, strict=True) if not lost_it]
    results = iter(write(connection, ids, kept))
    return [Superseded() if lost_it else next(results) for lost_it in is_lost]


def _lost(connection: Connection, said: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Which of these runs are not worked on under these fences; the others are held until the transaction ends."""
    if not said:
        return set()
    return said.difference(connection.execute(_FENCES, {"run_ids": [run_id for run_id, _ in said]}))


def write(connection: Connection, ids: queue.RunIds, entries: Sequence[Entry]) -> list[Any]:
    """Write a group of entries; one result for each, in order."""
    starting = [entry.start for entry in entries if entry.start is not None]
    answers = iter(queue.enqueue(connection, ids, starting) if starting else ())
    write_lines(connection, [entry.lines for entry in entries if entry.lines])
    for entry in entries:
        if entry.park is not None:
            park_run(connection, entry.park)
    ended = iter(end_runs(connection, [entry.end for entry in entries if entry.end is not None]))
    return [next(answers) if entry.start else next(ended) if entry.end else None for entry in entries]


def write_lines(connection: Connection, lines: Sequence[Lines]) -> None:
    """Write the rows of several runs, one executemany for each table; what was written before a crash stays."""
    for table, rows, unless in (
        (tables.payloads, [row for one in lines for row in one.payloads], ()),
        (tables.run_logs, [row for one in lines for row in one.logs], None),
        (tables.dead_letters, [row for one in lines for row in one.dead_letters], ()),
        (tables.exchanges, [row for one in lines for row in one.exchanges], None),
        (tables.tracked, [row for one in lines for row in one.tracked], ()),
    ):
        many.insert(connection, table, rows, unless)
    for one in lines:
        for become in one.writes:
            become(connection)


def park_run(connection: Connection, park: Park) -> None:
    """Mark a started run as waiting; one that is not ours any more stays as it is."""
    ours = (
        tables.runs.c.id == park.run_id,
        tables.runs.c.fence == park.fence,
        tables.runs.c.status == run.Status.STARTED,
    )
    values = {
        "resume_at": park.resume_at,
        "summary": park.summary,
        "has_warnings": or_(tables.runs.c.has_warnings, literal(park.has_warnings)),
    }
    connection.execute(update(tables.runs).where(*ours).values(values))
    if park.for_child:
        # The last of them may have ended while the run was on its way here.
        endings.wake(connection, park.run_id, park.at)


# Holds the runs that something is written of: nobody takes them over until that is committed.
_SAID_OF = tables.runs.c.id.in_(bindparam("run_ids", expanding=True))
_FENCES = (
    select(tables.runs.c.id, tables.runs.c.fence)
    .where(_SAID_OF & (tables.runs.c.status == run.Status.STARTED))
    .order_by(tables.runs.c.id)
    .with_for_update(read=True)
)
# Locks the runs that end, so that what is said of them holds when they are moved. Who waits for one may change.
_HELD = (
    select(
        tables.runs.c.id,
        tables.runs.c.fence,
        case((tables.runs.c.is_awaited, tables.runs.c.parent_run_id)).label("awaited_by"),
    )
    .where(_SAID_OF, tables.runs.c.status == run.Status.STARTED)
    .order_by(tables.runs.c.id)
    .with_for_update()
)
_END = (
    update(tables.runs)
    .where(
        tables.runs.c.id == bindparam("run_id"),
        tables.runs.c.fence == bindparam("run_fence"),
        tables.runs.c.status == gates.number(run.Status.STARTED),
    )
    .values(
        status=bindparam("status"),
        finished_at=bindparam("finished_at"),
        has_warnings=or_(tables.runs.c.has_warnings, bindparam("has_warnings")),
        summary=bindparam("summary"),
    )
)


def end_runs(connection: Connection, ends: Sequence[End]) -> list[bool]:
    """Move runs to their terminal state and count them; for each, whether it was still to be moved."""
    if not ends:
        return []
    found = connection.execute(_HELD, {"run_ids": [end.run_id for end in ends]})
    held = {(row.id, row.fence): row.awaited_by for row in found}
    ending: dict[tuple[int, int], End] = {}
    answers = []
    for end in ends:
        key = end.run_id, end.fence
        answers.append(key in held and key not in ending)
        if answers[-1]:
            ending[key] = end
    if ending:
        many.update(connection, _END, [_end_row(end) for end in ending.values()])
        ended = {end.run_id: end.status for end in ending.values()}
        parents = {held[key] for key in ending} - {None}
        claimants = [end.run_id for end in ending.values() if end.may_hold_claims]
        moved = {end.run_id for end in ending.values() if end.has_moved}
        endings.settle(connection, ended, parents, max(end.at for end in ending.values()), claimants, moved)
        alerts.tell_ends(connection, ending.values())
    add_metrics(connection, list(ending.values()))
    return answers


def _end_row(end: End) -> dict[str, Any]:
    return {
        "run_id": end.run_id,
        "run_fence": end.fence,
        "status": end.status,
        "finished_at": end.at,
        "has_warnings": end.has_warnings,
        "summary": end.summary,
    }


def measured(row: Row[Any], at: datetime, steps: int) -> dict[MetricKey, int]:
    """What the end of a run at `at` counts of its duration and of the steps that it reached."""
    duration_ms = (at - row.started_at).total_seconds() * 1000
    return {
        ("duration", sketch.key(duration_ms)): 1,
        ("duration", "total_us"): round(duration_ms * 1000),
        ("steps", "count"): steps,
    }


def add_metrics(connection: Connection, ends: Sequence[End]) -> None:
    """Add what these runs counted: one delta row for each version, minute and key of the group."""
    totals: dict[tuple[int, int, int, datetime], Counter[MetricKey]] = {}
    for end in ends:
        minute = end.at.replace(second=0, microsecond=0)
        counts = totals.setdefault((end.flow_id, end.version_id, end.iteration, minute), Counter())
        counts["runs", run.METRIC_KEYS[end.status]] += 1
        for key, amount in end.metrics.items():
            counts[key] += amount
    add_deltas(
        connection,
        {(*whose, *key): amount for whose, counts in totals.items() for key, amount in counts.items()},
    )


_DELTA_FIELDS = ("flow_id", "flow_version_id", "iteration", "minute", "type", "key", "value")


def add_deltas(
    connection: Connection, totals: Mapping[tuple[int, int, int, datetime, str, str], int]
) -> None:
    """Write delta rows: {(flow, version, iteration, minute, type, key): amount}."""
    rows = [dict(zip(_DELTA_FIELDS, (*key, amount), strict=True)) for key, amount in totals.items() if amount]
    many.insert(connection, tables.metric_deltas, rows)
