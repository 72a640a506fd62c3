"""Claims: which of the runs that wait begin now. Priorities are strict; within one, companies take turns.

`gates` holds up what must wait for other runs, so that a claim looks only at what may go.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Connection,
    Row,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    select,
    union_all,
    update,
)

from flowloom.domain import run
from flowloom.domain.fullness import Fullness
from flowloom.domain.turns import Turns
from flowloom.store import columns, gates, holds, recall, tables
from flowloom.store.gates import number

RUNS, FLOWS, COMPANIES = tables.runs.c, tables.flows.c, tables.companies.c
PRIORITIES: Final = range(1, 6)
# How many runs are looked at together once some of them had to be put aside.
MANY: Final = 500
# One claim puts no more aside, so that a flood for one key holds up no other write; the next claim goes on.
MAX_PUT_ASIDE: Final = 2000
# A shorter wait for a place is not told of.
UNNOTICED: Final = timedelta(seconds=0.1)


def claim(
    connection: Connection,
    room: int,
    now: datetime,
    running: Mapping[int, int] = MappingProxyType({}),
    company_limit: int = 0,
    turns: Turns | None = None,
    full: Fullness | None = None,
) -> list[recall.Claimed]:
    """Claim up to `room` ready runs, strictly by priority, then by turns of companies, then by how long they are ready.

    `running` counts the runs of each company that go on; none gets above its own concurrency, or `company_limit`
    where it has none (0: no limit). From claim to claim `turns` remembers whose turn it is, and `full` since when
    all places are taken, which is told of the runs that waited for one.
    """
    gates.let_go(connection, now)
    counts, full = Counter(running), full or Fullness()
    taking = _Taking(connection, now, room, counts, turns or Turns(), full)
    ready = connection.execute(LINES, {"now": now}).all()
    limits = {line.company_id: line.concurrency or company_limit for line in ready}
    for priority, lines in itertools.groupby(ready, lambda line: line.priority):
        if taking.is_cut_short:
            break
        taking.take(priority, {line.company_id: limits[line.company_id] for line in lines})
    full.learn(now, counts, limits, is_server_full=len(taking.rows) >= room)
    rows = sorted(taking.rows, key=lambda row: (row.priority, row.id))
    claimed = {row.id: recall.Claimed(row) for row in rows}
    recall.fill(connection, claimed)
    return list(claimed.values())


class _Taking:
    """One claim in the making."""

    def __init__(
        self,
        connection: Connection,
        now: datetime,
        room: int,
        running: Counter[int],
        turns: Turns,
        full: Fullness,
    ) -> None:
        self._connection = connection
        self._now = now
        self._room = room
        self._running = running
        self._turns = turns
        self._full = full
        self._places = gates.Places(connection, now)
        self._put_aside = 0
        self.rows: list[Row[Any]] = []

    @property
    def is_cut_short(self) -> bool:
        """Whether runs may be left that could go: none of a lower priority goes before them."""
        return self._put_aside >= MAX_PUT_ASIDE

    def take(self, priority: int, limits: Mapping[int, int]) -> None:
        """Claim runs of a priority. `limits` are those of the companies that have some ready (0: none)."""
        looked_at = dict.fromkeys(limits, 0)
        while order := self._turns.order(self._room - len(self.rows), looked_at, self._running, limits):
            chosen: Counter[int] = Counter()
            for company_id, places in Counter(order).items():
                found, waiting = self._look(priority, company_id, places, max(places, looked_at[company_id]))
                chosen[company_id] = found
                if waiting:
                    looked_at[company_id] = MANY
                if found < places and (not waiting or self.is_cut_short):
                    del looked_at[company_id]
            for company_id in order:
                if chosen[company_id]:
                    chosen[company_id] -= 1
                    self._running[company_id] += 1
                    self._turns.take(company_id)

    def _look(self, priority: int, company_id: int, places: int, count: int) -> tuple[int, int]:
        """Claim up to `places` of a company's first `count` runs; how many, and how many were put aside."""
        asked = {"now": self._now, "priority": priority, "company_id": company_id, "count": count}
        chosen: list[Row[Any]] = []
        waiting: list[tuple[Row[Any], gates.Gate]] = []
        for row in self._connection.execute(_CANDIDATES, asked):
            if len(chosen) == places:
                break
            gate = self._places.take(row)
            if gate == gates.Gate.OPEN:
                chosen.append(row)
            else:
                waiting.append((row, gate))
        if chosen:
            self.rows += self._claim(company_id, chosen)
        held = self._places.put_aside(waiting)
        self._put_aside += held
        return len(chosen), held

    def _claim(self, company_id: int, chosen: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
        claimed = {"now": self._now, "run_ids": [row.id for row in chosen]}
        late, full = self._now - UNNOTICED, list(self._full.taken(company_id))
        if full and any(row.ready_at < late for row in chosen):
            hold = "".join(holds.line(*taken, self._now) for taken in full)
            return self._connection.execute(_CLAIM_LATE, {**claimed, "late": late, "hold": hold}).all()
        return self._connection.execute(CLAIM, claimed).all()


def resume_due(connection: Connection, now: datetime) -> int:
    """Queue the runs again whose wait outside of memory is over; their number."""
    return connection.execute(_RESUME, {"now": now}).rowcount


def requeue_abandoned(connection: Connection, working: Collection[int] = ()) -> int:
    """Put the started runs that nobody works on, all but `working`, back into the queue; their number.

    What waits outside of memory is nobody's work until its time has come.
    """
    lost = select(RUNS.id).where(
        gates.begun(RUNS), RUNS.status == run.Status.STARTED, RUNS.resume_at.is_(None)
    )
    abandoned = [id for id in connection.scalars(lost) if id not in working]
    if abandoned:
        requeued = update(tables.runs).where(RUNS.id.in_(abandoned), RUNS.status == run.Status.STARTED)
        connection.execute(requeued.values(status=run.Status.QUEUED))
    return len(abandoned)


def _lines() -> Any:
    """The priorities and companies that have ready runs, found by jumping from one to the next in the index."""
    open_run, ready_run = tables.runs.alias("open_run").c, tables.runs.alias("ready_run").c
    each = union_all(*(select(number(priority).label("priority")) for priority in PRIORITIES)).subquery(
        "each"
    )
    first = select(each.c.priority, cast(number(0), BigInteger).label("company_id"))
    lines = first.cte("lines", recursive=True)
    next_company = select(func.min(open_run.company_id)).where(
        gates.is_open(open_run),
        open_run.priority == lines.c.priority,
        open_run.company_id > lines.c.company_id,
    )
    lines = lines.union_all(
        select(lines.c.priority, next_company.scalar_subquery()).where(lines.c.company_id.is_not(None))
    )
    is_ready = select(ready_run.id).where(
        gates.is_open(ready_run),
        ready_run.priority == lines.c.priority,
        ready_run.company_id == lines.c.company_id,
        ready_run.ready_at <= bindparam("now", type_=columns.Instant),
    )
    return (
        select(lines.c.priority, lines.c.company_id, COMPANIES.concurrency)
        .outerjoin(tables.companies, COMPANIES.id == lines.c.company_id)
        .where(lines.c.company_id > 0, is_ready.exists())
        .order_by(lines.c.priority, lines.c.company_id)
    )


LINES = _lines()
LOOKED_AT = (
    select(
        RUNS.id,
        RUNS.fence,
        RUNS.gate,
        RUNS.ready_at,
        RUNS.flow_id,
        RUNS.parent_run_id,
        RUNS.parent_step_key,
        RUNS.parallel_limit,
        FLOWS.concurrency.label("flow_limit"),
        *(gates.ahead(key).label(f"ahead_{key}") for key in gates.TURN_KEYS),
    )
    .select_from(tables.runs)
    .outerjoin(tables.flows, FLOWS.id == RUNS.flow_id)
)
# The runs of one priority and company that may be claimed.
IN_LINE = (
    gates.is_open(RUNS),
    RUNS.priority == bindparam("priority"),
    RUNS.company_id == bindparam("company_id"),
    RUNS.ready_at <= bindparam("now", type_=columns.Instant),
)
_CANDIDATES = (
    LOOKED_AT.where(*IN_LINE)
    .order_by(RUNS.ready_at, RUNS.id)
    .limit(bindparam("count"))
    .with_for_update(of=tables.runs, skip_locked=True)
)
_RESUME = (
    update(tables.runs)
    .where(RUNS.resume_at <= bindparam("now", type_=columns.Instant), RUNS.status == run.Status.STARTED)
    .values(status=run.Status.QUEUED, resume_at=None)
)
CLAIM = (
    update(tables.runs)
    .where(RUNS.id.in_(bindparam("run_ids", expanding=True)), RUNS.status == run.Status.QUEUED)
    .values(
        status=run.Status.STARTED,
        fence=RUNS.fence + 1,
        started_at=func.coalesce(RUNS.started_at, bindparam("now", type_=columns.Instant)),
    )
    .returning(*tables.runs.c)
)
# The same after all places were taken: it is told of those that have waited for their first start.
_CLAIM_LATE = CLAIM.values(
    holds=case(
        (
            and_(RUNS.fence == 0, RUNS.ready_at < bindparam("late", type_=columns.Instant)),
            holds.added(bindparam("hold", type_=Text)),
        ),
        else_=RUNS.holds,
    )
)
