"""The pruner: removes what retention has outlived, in batches small enough that no run waits for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, exists, select

from flowloom.domain import run
from flowloom.store import blobs, tables
from flowloom.store.database import Database

BATCH = 500
IDEMPOTENCY_DAYS = 7
PAYLOADS, RUNS = tables.payloads.c, tables.runs.c


class Pruner:
    """`tick` removes all that is due, batch by batch."""

    def __init__(self, database: Database, store: blobs.Blobs, *, log_days: int, payload_days: int) -> None:
        self._database = database
        self._blobs = store
        self._log_age = timedelta(days=log_days)
        self._payload_age = timedelta(days=payload_days)

    async def tick(self, now: datetime) -> int:
        """Remove what is due at `now`; how many rows."""
        removed = 0
        for table, due in self._due(now):
            while gone := await self._database.write_grouped(lambda db, t=table, d=due: _batch(db, t, d)):  # type: ignore[misc]
                removed += len(gone)
                if table is tables.payloads:
                    await self._remove_blobs([row.blob for row in gone if row.blob is not None])
        return removed

    def _due(self, now: datetime) -> Sequence[tuple[Table, ColumnElement[bool]]]:
        finished = (
            select(RUNS.id).where(RUNS.id == PAYLOADS.run_id, RUNS.status.not_in(run.UNFINISHED)).correlate(tables.payloads)
        )
        keys = tables.idempotency_keys.c
        return (
            (tables.payloads, (PAYLOADS.created_at < now - self._payload_age) & exists(finished)),
            (tables.run_logs, tables.run_logs.c.created_at < now - self._log_age),
            (tables.runs, (RUNS.finished_at < now - self._log_age) & RUNS.status.not_in(run.UNFINISHED)),
            (tables.idempotency_keys, keys.created_at < now - timedelta(days=IDEMPOTENCY_DAYS)),
        )

    async def _remove_blobs(self, names: Sequence[str]) -> None:
        for name in set(names):
            if not await self._database.read(_is_used, name):
                self._blobs.remove(name)


def _batch(connection: Connection, table: Table, due: ColumnElement[bool]) -> Sequence[Any]:
    key = list(table.primary_key.columns)
    if len(key) > 1:
        return connection.execute(delete(table).where(due).returning(*key)).all()
    oldest = select(key[0]).where(due).limit(BATCH)
    returned = [table.c.blob] if "blob" in table.c else key
    return connection.execute(delete(table).where(key[0].in_(oldest)).returning(*returned)).all()


def _is_used(connection: Connection, blob: str) -> bool:
    return connection.scalar(select(PAYLOADS.id).where(PAYLOADS.blob == blob).limit(1)) is not None
