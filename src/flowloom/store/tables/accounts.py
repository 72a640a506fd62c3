"""Companies, their users and their keys."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, String, Table, text

from flowloom.store.columns import Instant
from flowloom.store.tables import parts

companies = Table(
    "companies",
    parts.metadata,
    parts.id(),
    Column("name", String(200), nullable=False),
    Column("concurrency", Integer, nullable=False, server_default="0"),
    # False until the first administrator, whose password was generated, has said who he is.
    Column("is_set_up", Boolean, nullable=False, server_default=text("true")),
    *parts.times(),
    **parts.KEEP_IDS,
)

users = Table(
    "users",
    parts.metadata,
    parts.id(),
    parts.of("companies", index=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("password_hash", String(300), nullable=False),
    Column("role", String(20), nullable=False),
    *parts.times(),
    **parts.KEEP_IDS,
)

api_keys = Table(
    "api_keys",
    parts.metadata,
    parts.id(),
    parts.of("companies", index=True),
    Column("name", String(200), nullable=False),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("hint", String(16), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    **parts.KEEP_IDS,
)
