"""The systems that flows work with, and what flows keep between runs: lookups, caches, pools, outgoing messages."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from flowloom.store.columns import Id, Instant, Json
from flowloom.store.tables import parts

connections = Table(
    "connections",
    parts.metadata,
    parts.id(),
    parts.of("companies", index=True),
    Column("name", String(255), nullable=False),
    Column("base_url", Text),
    Column("allowed_hosts", Json, nullable=False),
    Column("auth_type", String(40), nullable=False),
    Column("auth", Json, nullable=False),
    Column("secret", Text),
    Column("headers", Json, nullable=False),
    Column("timeout_seconds", Integer),
    # http, sftp, postgresql, mysql or sqlite.
    Column("protocol", String(12), nullable=False, server_default="http"),
    Column("connector_id", Id),
    Column("variables", Json, nullable=False, server_default="{}"),
    # {name: {sealed, digest}}: see store/secret_variables.
    Column("secrets", Json, nullable=False, server_default="{}"),
    # {per_second | per_minute, burst?}, {failures, pause_seconds}; NULL is none.
    Column("rate_limit", Json),
    Column("circuit_breaker", Json),
    *parts.times(),
    **parts.KEEP_IDS,
)

# A system described once: {base_url, auth, headers, variables, endpoints: [...]}.
connectors = Table(
    "connectors",
    parts.metadata,
    parts.id(),
    parts.of("companies", index=True),
    Column("name", String(255), nullable=False),
    Column("description", Text, nullable=False),
    Column("document", Json, nullable=False),
    Column("endpoints_count", Integer, nullable=False),
    *parts.times(),
    **parts.KEEP_IDS,
)

# `revision` rises with every change of the rows.
lookup_tables = Table(
    "lookup_tables",
    parts.metadata,
    parts.id(),
    parts.of("companies"),
    Column("name", String(100), nullable=False),
    Column("description", Text, nullable=False),
    Column("revision", Integer, nullable=False, server_default="1"),
    *parts.times(),
    UniqueConstraint("company_id", "name"),
    **parts.KEEP_IDS,
)

lookup_rows = Table(
    "lookup_rows",
    parts.metadata,
    parts.id(),
    parts.of("lookup_tables"),
    Column("left", String(500), nullable=False),
    Column("right", String(500), nullable=False),
    UniqueConstraint("lookup_table_id", "left"),
    **parts.KEEP_IDS,
)

# `scope` is "company", "flow:<id>" or "run:<origin run id>", and only then `run_id` is that run, with which it goes.
cache_entries = Table(
    "cache_entries",
    parts.metadata,
    parts.id(),
    parts.of("companies"),
    Column("scope", String(40), nullable=False),
    Column("key", String(255), nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("expires_at", Instant, index=True),
    Column("run_id", Id, index=True),
    *parts.times(),
    UniqueConstraint("company_id", "scope", "key"),
    **parts.KEEP_IDS,
)

data_pools = Table(
    "data_pools",
    parts.metadata,
    parts.id(),
    parts.of("companies"),
    Column("name", String(100), nullable=False),
    Column("description", Text, nullable=False),
    *parts.times(),
    UniqueConstraint("company_id", "name"),
    **parts.KEEP_IDS,
)

# A key that was seen. `run_id` NULL is for good; else that run claimed it, at `position` by `owner` (step and record).
# When the run fails its claims are released: whoever comes next may take them, and so may a retry.
pool_entries = Table(
    "pool_entries",
    parts.metadata,
    parts.id(),
    parts.of("data_pools"),
    Column("key", String(255), nullable=False),
    Column("run_id", Id, index=True),
    Column("position", String(255)),
    Column("owner", String(60)),
    Column("is_released", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("data_pool_id", "key"),
    **parts.KEEP_IDS,
)
Index("ix_pool_entries_pool", pool_entries.c.data_pool_id, pool_entries.c.id)

notification_groups = Table(
    "notification_groups",
    parts.metadata,
    parts.id(),
    parts.of("companies", index=True),
    Column("name", String(100), nullable=False),
    # [{type: email, to: [...]} | {type: webhook, url} | {type: log}]
    Column("channels", Json, nullable=False),
    *parts.times(),
    **parts.KEEP_IDS,
)

# The outbox: written with what it tells of, delivered by the notifier.
notifications = Table(
    "notifications",
    parts.metadata,
    parts.id(),
    parts.of("companies", index=True),
    Column("flow_id", Id),
    Column("run_id", Id),
    # What is told once: a second row with the same key is not written.
    Column("once_key", String(255), nullable=False, unique=True),
    Column("channel_type", String(10), nullable=False),
    Column("channel", Json, nullable=False),
    Column("subject", String(500), nullable=False),
    Column("text", Text, nullable=False),
    # queued, sent or failed; `next_at` is when a queued one is tried next.
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Instant),
    Column("error", Text),
    *parts.times(),
    **parts.KEEP_IDS,
)
Index("ix_notifications_due", notifications.c.channel_type, notifications.c.next_at)
