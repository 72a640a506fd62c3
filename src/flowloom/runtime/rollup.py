"""The roll-up: folds metric deltas into minute, hour and day, so that reads stay short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from flowloom.store import database, tables

BATCH = 5000
DELTAS = tables.metric_deltas.c


class Rollup:
    """`tick` folds one batch in one transaction; what is not folded yet is added when metrics are read."""

    def __init__(self, db: database.Database) -> None:
        self._db = db

    async def tick(self, _now: datetime) -> int:
        """Fold until nothing is left; how many deltas."""
        total = 0
        while folded := await self._db.write_grouped(fold):
            total += folded
        return total


def fold(connection: Connection) -> int:
    """Fold up to 5,000 deltas; how many."""
    oldest = select(DELTAS.id).order_by(DELTAS.id).limit(BATCH)
    taken = delete(tables.metric_deltas).where(DELTAS.id.in_(oldest)).returning(*DELTAS)
    rows = connection.execute(taken).all()
    if rows:
        connection.execute(database.insert_or_add(connection, tables.metrics, "value"), merge(rows))
    return len(rows)


def merge(rows: Iterable[Row[Any]]) -> list[dict[str, Any]]:
    """Delta rows added up for each minute, hour and day."""
    totals: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        for interval, starts_at in starts(row.minute).items():
            whose = (row.flow_id, row.flow_version_id, row.iteration)
            totals[*whose, interval, starts_at, row.type, row.key] += row.value
    names = ("flow_id", "flow_version_id", "iteration", "interval", "starts_at", "type", "key", "value")
    return [dict(zip(names, (*key, value), strict=True)) for key, value in totals.items()]


def starts(minute: datetime) -> dict[str, datetime]:
    """When the minute, hour and day begin that this minute is in."""
    hour = minute.replace(minute=0)
    return {"minute": minute, "hour": hour, "day": hour.replace(hour=0)}
