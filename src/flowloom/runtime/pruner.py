"""The pruner: removes what retention has outlived, in batches small enough that no run waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, delete, exists, func, select, tuple_

from flowloom.domain import run
from flowloom.store import blobs, columns, tables
from flowloom.store.database import Database

BATCH = 500
IDEMPOTENCY_DAYS = 7
# A file that was written lately may be of a run whose row is not written yet.
BLOB_GRACE = timedelta(hours=1)
SWEEP_EVERY: Final = timedelta(days=1)
PAYLOADS, LOGS, RUNS = tables.payloads.c, tables.run_logs.c, tables.runs.c


class Pruner:
    """`tick` removes all that is due, batch by batch."""

    def __init__(self, database: Database, store: blobs.Blobs, *, log_days: int, payload_days: int) -> None:
        self._database = database
        self._blobs = store
        self._log_age = timedelta(days=log_days)
        self._payload_age = timedelta(days=payload_days)
        self._sweep_again_at = columns.EPOCH

    async def tick(self, now: datetime) -> int:
        """Remove what is due at `now`; how many rows."""
        removed = 0
        for table, due in self._due(now):
            while gone := await self._database.write_grouped(lambda db, t=table, d=due: _batch(db, t, d)):  # type: ignore[misc]
                removed += len(gone)
                if table is tables.payloads:
                    await self._remove_blobs([row.blob for row in gone if row.blob is not None], now)
        await self._sweep(now)
        return removed

    async def _sweep(self, now: datetime) -> None:
        """Once a day, remove the files that no row names: their start was refused after they were written."""
        if now < self._sweep_again_at:
            return
        self._sweep_again_at = now + SWEEP_EVERY
        old = await asyncio.to_thread(lambda: list(self._blobs.older_than((now - SWEEP_EVERY).timestamp())))
        await self._remove_blobs(old, now)

    def _due(self, now: datetime) -> Sequence[tuple[Table, ColumnElement[bool]]]:
        # The newest run stays: its id is where a restart goes on to count.
        newest = select(func.max(RUNS.id)).scalar_subquery()
        keys = tables.idempotency_keys.c
        return (
            (tables.payloads, (PAYLOADS.created_at < now - self._payload_age) & _is_ended(PAYLOADS.run_id)),
            (tables.run_logs, (LOGS.created_at < now - self._log_age) & _is_ended(LOGS.run_id)),
            (tables.runs, (RUNS.finished_at < now - self._log_age) & (RUNS.id < newest)),
            (tables.idempotency_keys, keys.created_at < now - timedelta(days=IDEMPOTENCY_DAYS)),
        )

    async def _remove_blobs(self, names: Sequence[str], now: datetime) -> None:
        for name in set(names):
            if not await self._database.read(_is_used, name):
                await asyncio.to_thread(self._blobs.remove, name, (now - BLOB_GRACE).timestamp())


def _is_ended(run_id: ColumnElement[int]) -> ColumnElement[bool]:
    going_on = tables.runs.alias()
    return ~exists().where(going_on.c.id == run_id, going_on.c.status.in_(run.UNFINISHED))


def _batch(connection: Connection, table: Table, due: ColumnElement[bool]) -> Sequence[Any]:
    key = list(table.primary_key.columns)
    some = delete(table).where(tuple_(*key).in_(select(*key).where(due).limit(BATCH)))
    returned = [table.c.blob] if "blob" in table.c else key
    return connection.execute(some.returning(*returned)).all()


def _is_used(connection: Connection, blob: str) -> bool:
    return connection.scalar(select(PAYLOADS.id).where(PAYLOADS.blob == blob).limit(1)) is not None
