"""Locks by name among the processes of one PostgreSQL. On SQLite one process writes, one transaction at a time."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, text

# In one order everywhere, so that nobody waits in a circle.
_IN_TRANSACTION: Final = text(
    "SELECT pg_advisory_xact_lock(hashtextextended(locked.name, 0))"
    " FROM (SELECT unnest(CAST(:names AS text[])) AS name ORDER BY 1) AS locked"
)
_IN_SESSION: Final = text("SELECT pg_advisory_lock(hashtextextended(:name, 0))")


def hold(connection: Connection, names: Collection[str]) -> None:
    """Wait for these locks, and hold them until the transaction ends."""
    if names and connection.dialect.name != "sqlite":
        connection.execute(_IN_TRANSACTION, {"names": sorted(names)})


def hold_in_session(connection: Connection, name: str) -> None:
    """Wait for a lock, and hold it until the connection is closed. PostgreSQL only."""
    connection.execute(_IN_SESSION, {"name": name})
    connection.commit()
