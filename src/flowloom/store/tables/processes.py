"""The processes that work on one database together, and what their connectors share."""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer, String, Table

from flowloom.store.columns import Id, Instant
from flowloom.store.tables import parts

processes = Table(
    "processes",
    parts.metadata,
    parts.id(),
    Column("role", String(10), nullable=False),
    # Its host and process id.
    Column("name", String(255), nullable=False),
    # What tells one secret key from another.
    Column("key_digest", String(64), nullable=False),
    # How many runs it works on at the same time, and on how many now.
    Column("concurrency", Integer, nullable=False),
    Column("running", Integer, nullable=False),
    # Both by the database's clock.
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    **parts.KEEP_IDS,
)

# Up to when the turns under the rate limit of a connection are given out, in seconds since 1970.
turns = Table(
    "connection_turns",
    parts.metadata,
    Column("connection_id", Id, primary_key=True, autoincrement=False),
    Column("given_until", Float, nullable=False),
    Column("per_second", Float, nullable=False),
)

# A circuit breaker that is not closed and at rest.
circuits = Table(
    "connection_circuits",
    parts.metadata,
    Column("connection_id", Id, primary_key=True, autoincrement=False),
    Column("failures", Integer, nullable=False),
    Column("opens_until", Instant),
    # A request that is tried while it is half open holds this place until then.
    Column("tried_until", Instant),
)
