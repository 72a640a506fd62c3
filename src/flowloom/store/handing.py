"""Handing runs to workers: which of those that wait are offered to them, and the claim of those that a worker got.

Who offers looks at priorities and at companies' turns; who claims holds the locks under which the gates, the places
of a company and the fence are judged, so that any number of workers may claim at once.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, bindparam, func, or_, select

from flowloom.domain.turns import Turns
from flowloom.store import claims, columns, gates, locks, processes, recall, tables

RUNS, FLOWS, COMPANIES = tables.runs.c, tables.flows.c, tables.companies.c
# How often one claim looks at a run that was to be put aside for another one, which ended just then.
MAX_LOOKS: Final = 3
# So many runs that may begin are counted, each second; more workers than that could use are not to be had.
COUNTED: Final = 100_000


@dataclass(frozen=True, slots=True)
class Worker:
    """Who claims: a process, the limit of companies without one of their own (0: none), and after how long a silence
    others count as dead."""

    process_id: int
    company_limit: int
    silence: timedelta


class State(NamedTuple):
    """How a run waits. It is offered again when that has changed: it was let go, taken up, or put back."""

    fence: int
    gate: int
    holds: int


class Offer(NamedTuple):
    """A run that may begin."""

    run_id: int
    company_id: int
    priority: int
    state: State


def claim(
    connection: Connection, run_ids: Sequence[int], now: datetime, worker: Worker
) -> list[recall.Claimed]:
    """Claim those of these runs that may begin now. What must wait is put aside; the rest needs nobody any more.

    A run that another worker began is taken over if that one is dead.
    """
    processes.requeue(connection, RUNS.id.in_(run_ids), processes.of_the_dead(worker.silence))
    _lock(connection, run_ids, worker.company_limit)
    claimed: dict[int, recall.Claimed] = {}
    left = run_ids
    for _ in range(MAX_LOOKS):
        rows = connection.execute(_HANDED, {"now": now, "run_ids": left}).all()
        places = gates.Places(connection, now)
        chosen, waiting = _judge(connection, rows, places, worker.company_limit)
        if chosen:
            values = {"now": now, "run_ids": chosen, "worker_id": worker.process_id}
            claimed |= {row.id: recall.Claimed(row) for row in connection.execute(_CLAIM, values)}
        if not waiting or places.put_aside(waiting) == len(waiting):
            break
        left = [row.id for row, _ in waiting]
    recall.fill(connection, claimed)
    return list(claimed.values())


def _judge(
    connection: Connection, rows: Sequence[Row[Any]], places: gates.Places, default: int
) -> tuple[list[int], list[tuple[Row[Any], gates.Gate]]]:
    """The runs that may begin, and those that must wait for others and why. Those of a full company are neither."""
    limits = {row.company_id: row.company_limit or default for row in rows}
    running = _running(connection, [id for id, limit in limits.items() if limit])
    chosen: list[int] = []
    waiting: list[tuple[Row[Any], gates.Gate]] = []
    for row in rows:
        if 0 < limits[row.company_id] <= running[row.company_id]:
            continue
        gate = places.take(row)
        if gate == gates.Gate.OPEN:
            chosen.append(row.id)
            running[row.company_id] += 1
        else:
            waiting.append((row, gate))
    return chosen, waiting


def _lock(connection: Connection, run_ids: Sequence[int], default: int) -> None:
    """Until the transaction ends, let nobody else judge runs that these may have to wait for, or to leave a place."""
    keys = {key for row in connection.execute(_KEYS, {"run_ids": run_ids}) for key in _limited(row, default)}
    locks.hold(connection, keys)


def _limited(row: Row[Any], default: int) -> list[str]:
    """What a run shares with others of which not all may go on at the same time."""
    of_company = [f"company {row.company_id}"] if row.company_limit or default else []
    has_crowds = bool(gates.crowds(row)) or any(row._mapping[key] is not None for key in gates.TURN_KEYS)
    return of_company + (gates.shared(row) if has_crowds else [])


def let_go(connection: Connection, now: datetime) -> None:
    """Let go who waited for runs that have ended meanwhile, while workers claim."""
    gates.let_go(connection, now, lambda keys: locks.hold(connection, keys))


def _running(connection: Connection, company_ids: Collection[int] | None = None) -> Counter[int]:
    """How many runs of companies are worked on; None: of all."""
    counted = select(RUNS.company_id, func.count()).where(gates.worked_on(RUNS))
    if company_ids is not None:
        if not company_ids:
            return Counter()
        counted = counted.where(RUNS.company_id.in_(company_ids))
    return Counter(dict(connection.execute(counted.group_by(RUNS.company_id)).all()))


def offers(
    connection: Connection,
    room: Mapping[int, int],
    now: datetime,
    offered: Mapping[int, Offer],
    pending: Counter[int],
    turns: Turns,
    company_limit: int = 0,
) -> list[Offer]:
    """Runs that wait and are not `offered` as they stand: by priority, then by turns of companies. For each priority
    there is `room` for so many, those before it counted too.

    Of a company with a limit no more are offered than it has places; `pending` counts those that no worker has yet.
    """
    lines = connection.execute(claims.LINES, {"now": now}).all()
    if not lines:
        return []
    limits = {line.company_id: line.concurrency or company_limit for line in lines}
    running = _running(connection) + pending
    known = Counter((offer.priority, offer.company_id) for offer in offered.values())
    found: list[Offer] = []
    for priority, group in itertools.groupby(lines, lambda line: line.priority):
        order = turns.order(room[priority] - len(found), [line.company_id for line in group], running, limits)
        for company_id, places in Counter(order).items():
            # So many more are looked at as may be known already.
            line = _line(connection, priority, company_id, now, places + known[priority, company_id])
            new = list(itertools.islice((one for one in line if offered.get(one.run_id) != one), places))
            running[company_id] += len(new)
            found += new
            if new:
                turns.take(company_id)
    return found


def count_ready(connection: Connection, now: datetime) -> int:
    """How many runs may begin now; COUNTED is many."""
    ready = select(RUNS.id).where(gates.is_open(RUNS), RUNS.ready_at <= now).limit(COUNTED)
    return connection.scalar(select(func.count()).select_from(ready.subquery())) or 0


def _line(
    connection: Connection, priority: int, company_id: int, now: datetime, count: int
) -> Iterator[Offer]:
    """The first runs of a company that wait, of one priority."""
    asked = {"now": now, "priority": priority, "company_id": company_id, "count": count}
    for row in connection.execute(_WAITING, asked):
        yield Offer(row.id, company_id, priority, State(row.fence, row.gate, row.holds))


_COMPANY_LIMIT = COMPANIES.concurrency.label("company_limit")
_KEYS = (
    select(
        RUNS.company_id,
        RUNS.flow_id,
        RUNS.parent_run_id,
        RUNS.parent_step_key,
        RUNS.parallel_limit,
        FLOWS.concurrency.label("flow_limit"),
        _COMPANY_LIMIT,
        *(RUNS[key] for key in gates.TURN_KEYS),
    )
    .select_from(tables.runs)
    .outerjoin(tables.flows, FLOWS.id == RUNS.flow_id)
    .outerjoin(tables.companies, COMPANIES.id == RUNS.company_id)
    # Those that are put aside too: they may be let go before they are judged.
    .where(RUNS.id.in_(bindparam("run_ids", expanding=True)), gates.unfinished(RUNS))
)
_HANDED = (
    claims.LOOKED_AT.add_columns(RUNS.company_id, _COMPANY_LIMIT)
    .outerjoin(tables.companies, COMPANIES.id == RUNS.company_id)
    .where(
        RUNS.id.in_(bindparam("run_ids", expanding=True)),
        gates.is_open(RUNS),
        # A worker whose clock is late would take runs from all others, and begin none.
        or_(RUNS.ready_at <= bindparam("now", type_=columns.Instant), RUNS.ready_at <= processes.NOW),
    )
    .order_by(RUNS.priority, RUNS.ready_at, RUNS.id)
    .with_for_update(of=tables.runs, skip_locked=True)
)
_WAITING = (
    select(RUNS.id, RUNS.fence, RUNS.gate, func.coalesce(func.length(RUNS.holds), 0).label("holds"))
    .where(*claims.IN_LINE)
    .order_by(RUNS.ready_at, RUNS.id)
    .limit(bindparam("count"))
)
_CLAIM = claims.CLAIM.values(worker_id=bindparam("worker_id"))
