"""The pruner: removes what retention has outlived, in batches small enough that no run waits for them.

What belongs to a run goes by the run's age: its flow's own days, or the server's. Ids rise with time, so each turn
looks at the runs that have become old enough since the last one, and at no other.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import ColumnElement, Connection, Select, Table, delete, exists, func, select, tuple_, update

from flowloom import errors
from flowloom.domain import run
from flowloom.store import blobs, columns, gates, outbox, tables
from flowloom.store.database import Database

log = structlog.get_logger(__name__)

BATCH = 500
# How many runs one statement looks at, however few of them have something to remove.
LOOKED_AT: Final = 20_000
IDEMPOTENCY_DAYS = 7
# How often all runs are looked at again, for flows whose retention was changed, and all large bodies, for unnamed ones.
SWEEP_EVERY: Final = timedelta(days=1)
FLOWS, PAYLOADS, LOGS, RUNS = tables.flows.c, tables.payloads.c, tables.run_logs.c, tables.runs.c
METRICS, LETTERS, CACHE = tables.metrics.c, tables.dead_letters.c, tables.cache_entries.c
NOTIFICATIONS = tables.notifications.c
_IS_FULL = LETTERS.body.is_not(None) | LETTERS.blob.is_not(None)
# It stays: its id is where a restart goes on to count.
_NEWEST = select(func.max(tables.runs.alias().c.id)).scalar_subquery()


@dataclass(frozen=True, slots=True)
class Days:
    """For how long payloads, runs with their logs, and metrics by the minute are kept."""

    payloads: int
    logs: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Kind:
    """What is removed of the runs that have some: the rows of these tables, by a flow's `own` days or the server's.

    No run before those of `first` has anything. `takes_letters`: dead letters stay, but what they hold goes.
    """

    has_some: ColumnElement[bool]
    first: Sequence[Select[Any]]
    tables: Sequence[tuple[Table, ColumnElement[int]]]
    own: ColumnElement[int | None]
    server_days: int
    takes_letters: bool = False


class Pruner:
    """`tick` removes all that is due, batch by batch."""

    def __init__(
        self, database: Database, store: blobs.Blobs, days: Days, reach: Callable[[str], None]
    ) -> None:
        self._database = database
        self._blobs = store
        self._reach = reach
        self._minute_age, self._log_age = timedelta(days=days.minutes), timedelta(days=days.logs)
        payloads = (tables.payloads, PAYLOADS.run_id)
        logs, tracked = (tables.run_logs, LOGS.run_id), (tables.tracked, tables.tracked.c.run_id)
        exchanges = (tables.exchanges, tables.exchanges.c.run_id)
        letters = (tables.dead_letters, LETTERS.run_id)
        cached = (tables.cache_entries, CACHE.run_id)
        claims = (tables.pool_entries, tables.pool_entries.c.run_id)
        of_payloads = [payloads, exchanges, cached]
        self._kinds = (
            Kind(
                exists().where(PAYLOADS.run_id == RUNS.id)
                | exists().where(LETTERS.run_id == RUNS.id, _IS_FULL),
                [
                    select(PAYLOADS.run_id).order_by(PAYLOADS.run_id),
                    select(LETTERS.run_id).where(_IS_FULL).order_by(LETTERS.run_id),
                ],
                of_payloads,
                FLOWS.payload_retention_days,
                days.payloads,
                takes_letters=True,
            ),
            Kind(
                RUNS.id < _NEWEST,
                [select(RUNS.id).order_by(RUNS.id)],
                [*of_payloads, letters, logs, tracked, claims, (tables.runs, RUNS.id)],
                FLOWS.log_retention_days,
                days.logs,
            ),
        )
        # The newest run that was looked at, for each kind and each number of days.
        self._seen: dict[tuple[int, int | None], int] = {}
        self._sweep_again_at = columns.EPOCH

    async def tick(self, now: datetime) -> int:
        """Remove what is due at `now`; how many rows."""
        if is_sweep := now >= self._sweep_again_at:
            self._sweep_again_at = now + SWEEP_EVERY
            self._seen.clear()
        removed = 0
        for number, kind in enumerate(self._kinds):
            for days in await self._database.read(_days, kind):
                removed += await self._prune(number, kind, days, now)
        removed += await self._remove_old(tables.idempotency_keys, _old_keys(now), now)
        removed += await self._remove_old(tables.cache_entries, CACHE.expires_at <= now, now)
        removed += await self._remove_old(tables.metrics, _old_minutes(now - self._minute_age), now)
        removed += await self._remove_old(tables.notifications, _old_messages(now - self._log_age), now)
        if is_sweep:
            await self._sweep(now)
        return removed

    async def _prune(self, number: int, kind: Kind, days: int | None, now: datetime) -> int:
        """Remove a kind of the flows that have these days for it, or none of their own."""
        before, removed = now - timedelta(days=days or kind.server_days), 0
        known = self._seen.get((number, days))
        seen = await self._database.read(_before_first, kind) if known is None else known
        end = await self._database.read(_first_to_stay, seen, before)
        going_on = await self._database.read(_oldest_unfinished)
        while seen < end - 1:
            run_ids, seen = await self._database.read(_due, kind, days, seen, end)
            removed += await self._remove(kind, run_ids, now) if run_ids else 0
        self._seen[number, days] = min(end, going_on) - 1
        return removed

    async def _remove(self, kind: Kind, run_ids: Sequence[int], now: datetime) -> int:
        """Remove a kind of these runs; how many rows."""
        removed = 0
        for table, run_id in kind.tables:
            removed += await self._remove_old(table, run_id.in_(run_ids), now)
        if kind.takes_letters:
            removed += await self._empty_letters(run_ids, now)
        return removed

    async def _remove_old(self, table: Table, due: ColumnElement[bool], now: datetime) -> int:
        removed = 0
        while gone := await self._database.write_grouped(lambda db: _batch(db, table, due)):
            removed += len(gone)
            if "blob" in table.c:
                self._reach("rows-pruned")
                await self._remove_blobs([row.blob for row in gone if row.blob is not None], now)
        return removed

    async def _empty_letters(self, run_ids: Sequence[int], now: datetime) -> int:
        emptied = 0
        while rows := await self._database.write_grouped(lambda db: _emptied(db, run_ids)):
            emptied += len(rows)
            await self._remove_blobs([row.blob for row in rows if row.blob is not None], now)
        return emptied

    async def _sweep(self, now: datetime) -> None:
        """Remove the bodies that no row names: their start was refused after they were written."""
        settled = self._blobs.settled(now)
        try:
            while some := await asyncio.to_thread(lambda: list(itertools.islice(settled, BATCH))):
                await self._remove_blobs(some, now)
        except errors.Busy as error:
            # Rows can be removed meanwhile, so the loop turns all the same.
            log.warning("bodies_not_swept", reason=error.message)
            self._sweep_again_at = now

    async def _remove_blobs(self, names: Sequence[str], now: datetime) -> None:
        unnamed = set(names)
        if unnamed:
            unnamed -= await self._database.read(_used, unnamed)
        for name in unnamed:
            await asyncio.to_thread(self._blobs.remove, name, now)


def _days(connection: Connection, kind: Kind) -> list[int | None]:
    """The days that flows have of their own; None is for all others."""
    own = select(kind.own).where(kind.own.is_not(None)).distinct().order_by(kind.own)
    return [None, *connection.scalars(own)]


def _first_to_stay(connection: Connection, seen: int, before: datetime) -> int:
    """The id after `seen` at which the runs begin that are not older."""
    young = select(RUNS.id).where(RUNS.id > seen, RUNS.queued_at >= before).order_by(RUNS.id).limit(1)
    return connection.scalar(young) or (connection.scalar(select(func.max(RUNS.id))) or 0) + 1


def _before_first(connection: Connection, kind: Kind) -> int:
    """An id before that of the first run that has something of this kind."""
    found = (connection.scalar(one.limit(1)) for one in kind.first)
    return min((id for id in found if id is not None), default=2**63 - 1) - 1


def _due(connection: Connection, kind: Kind, days: int | None, seen: int, end: int) -> tuple[list[int], int]:
    """The next ended runs between these ids that there is something to remove of, at most a batch, ids rising; and up
    to where was looked."""
    last = _last_looked_at(connection, seen, end)
    own = select(FLOWS.id).where(kind.own == days if days is not None else kind.own.is_not(None))
    found = select(RUNS.id).where(
        RUNS.id > seen,
        RUNS.id <= last,
        RUNS.status.not_in(run.UNFINISHED),
        RUNS.flow_id.in_(own) if days is not None else RUNS.flow_id.not_in(own),
        kind.has_some,
    )
    run_ids = list(connection.scalars(found.order_by(RUNS.id).limit(BATCH)))
    return run_ids, run_ids[-1] if len(run_ids) == BATCH else last


def _last_looked_at(connection: Connection, seen: int, end: int) -> int:
    """Up to which id one statement looks: there is no more before the end, or it is the last of so many runs."""
    far = select(RUNS.id).where(RUNS.id > seen, RUNS.id < end).order_by(RUNS.id).offset(LOOKED_AT - 1)
    return connection.scalar(far.limit(1)) or end - 1


def _oldest_unfinished(connection: Connection) -> int:
    """The id of the oldest run that goes on, or of none that is yet to come."""
    # Of the plain id a database looks for the smallest among all runs, the oldest first: they have all ended.
    oldest = select(func.min(RUNS.id + 0)).where(gates.unfinished(RUNS))
    return connection.scalar(oldest) or 2**63 - 1


def _old_keys(now: datetime) -> ColumnElement[bool]:
    return tables.idempotency_keys.c.created_at < now - timedelta(days=IDEMPOTENCY_DAYS)


def _old_minutes(before: datetime) -> ColumnElement[bool]:
    return (METRICS.interval == "minute") & (METRICS.starts_at < before)


def _old_messages(before: datetime) -> ColumnElement[bool]:
    return (NOTIFICATIONS.created_at < before) & (NOTIFICATIONS.state != outbox.QUEUED)


def _batch(connection: Connection, table: Table, due: ColumnElement[bool]) -> Sequence[Any]:
    key = list(table.primary_key.columns)
    some = delete(table).where(tuple_(*key).in_(select(*key).where(due).limit(BATCH)))
    returned = [table.c.blob] if "blob" in table.c else key
    return connection.execute(some.returning(*returned)).all()


def _emptied(connection: Connection, run_ids: Sequence[int]) -> Sequence[Any]:
    """Take the payloads out of a batch of dead letters; what they held."""
    full = select(LETTERS.id, LETTERS.blob).where(LETTERS.run_id.in_(run_ids), _IS_FULL).limit(BATCH)
    rows = connection.execute(full).all()
    emptied = update(tables.dead_letters).where(LETTERS.id.in_([row.id for row in rows]))
    connection.execute(emptied.values(body=None, blob=None, meta={}, variables={}))
    return rows


def _used(connection: Connection, blobs: Set[str]) -> set[str]:
    """Those of these bodies that a row names."""
    holders = (PAYLOADS.blob, LETTERS.blob)
    return {name for blob in holders for name in connection.scalars(select(blob).where(blob.in_(blobs)))}
