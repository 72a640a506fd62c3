"""Every table, in SQLAlchemy Core. `columns` says how instants and JSON are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from flowloom.store.columns import Id, Instant, Json

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[int]:
    return Column("id", Id, primary_key=True, autoincrement=True)


def _of(parent: str, *, index: bool = False) -> Column[int]:
    """A required reference whose rows go with the parent's."""
    name = {"companies": "company_id", "flows": "flow_id", "flow_versions": "flow_version_id"}[parent]
    return Column(name, Id, ForeignKey(f"{parent}.id", ondelete="CASCADE"), nullable=False, index=index)


def _times() -> tuple[Column[datetime], Column[datetime]]:
    return Column("created_at", Instant, nullable=False), Column("updated_at", Instant, nullable=False)


# A deleted row's id is never given again: an old link must not lead to a new record.
KEEP_IDS: Any = {"sqlite_autoincrement": True}

companies = Table(
    "companies",
    metadata,
    _id(),
    Column("name", String(200), nullable=False),
    Column("concurrency", Integer, nullable=False, server_default="0"),
    *_times(),
    **KEEP_IDS,
)

users = Table(
    "users",
    metadata,
    _id(),
    _of("companies", index=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("password_hash", String(300), nullable=False),
    Column("role", String(20), nullable=False),
    *_times(),
    **KEEP_IDS,
)

api_keys = Table(
    "api_keys",
    metadata,
    _id(),
    _of("companies", index=True),
    Column("name", String(200), nullable=False),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("hint", String(16), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    **KEEP_IDS,
)

flows = Table(
    "flows",
    metadata,
    _id(),
    _of("companies", index=True),
    Column("name", String(255), nullable=False),
    Column("description", Text, nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("labels", Json, nullable=False),
    # Days; NULL is what the server's settings say.
    Column("log_retention_days", Integer),
    Column("payload_retention_days", Integer),
    Column("last_iteration", Integer, nullable=False),
    *_times(),
    **KEEP_IDS,
)

versions = Table(
    "flow_versions",
    metadata,
    _id(),
    _of("flows"),
    Column("iteration", Integer, nullable=False),
    Column("status", String(10), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("steps_count", Integer, nullable=False),
    Column("has_callback_step", Boolean, nullable=False),
    Column("variables", Json, nullable=False),
    Column("label", String(255)),
    Column("message", Text),
    Column("deployed_at", Instant),
    Column("deployed_by", Id),
    Column("saved_at", Instant),
    Column("saved_by", Id),
    *_times(),
    UniqueConstraint("flow_id", "iteration"),
    **KEEP_IDS,
)
for _status in ("Draft", "Deployed"):
    Index(
        f"uq_flow_versions_one_{_status.lower()}",
        versions.c.flow_id,
        unique=True,
        sqlite_where=versions.c.status == _status,
        postgresql_where=versions.c.status == _status,
    )

steps = Table(
    "flow_steps",
    metadata,
    _id(),
    _of("flow_versions", index=True),
    Column("key", String(40), nullable=False),
    Column("microservice", String(40), nullable=False),
    Column("name", String(255), nullable=False),
    Column("config", Json, nullable=False),
    Column("position", Json),
    Column("parent_id", Id),
    Column("flow_step_route_id", Id),
    Column("is_enabled", Boolean, nullable=False),
    Column("variables", Json, nullable=False),
    *_times(),
    UniqueConstraint("flow_version_id", "key"),
    **KEEP_IDS,
)

routes = Table(
    "flow_step_routes",
    metadata,
    _id(),
    _of("flow_versions", index=True),
    Column("flow_step_id", Id, nullable=False),
    Column("key", String(40), nullable=False),
    Column("name", String(255), nullable=False),
    Column("position", Integer, nullable=False),
    Column("where", Json),
    *_times(),
    UniqueConstraint("flow_version_id", "key"),
    **KEEP_IDS,
)

definitions = Table(
    "definitions",
    metadata,
    Column("content_hash", String(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

schedules = Table(
    "schedules",
    metadata,
    _id(),
    _of("flow_versions", index=True),
    Column("cron_string", String(255), nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("overlap", String(8), nullable=False),
    Column("catch_up", String(8), nullable=False),
    Column("jitter_seconds", Integer, nullable=False),
    Column("dst_gap", String(8), nullable=False),
    Column("dst_repeat", String(8), nullable=False),
    Column("next_run_at", Instant, index=True),
    Column("settled_until", Instant),
    *_times(),
    **KEEP_IDS,
)

schedule_slots = Table(
    "schedule_slots",
    metadata,
    _id(),
    Column("schedule_id", Id, nullable=False, index=True),
    Column("flow_version_id", Id, nullable=False),
    Column("reason", String(12), nullable=False),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("count", Integer, nullable=False),
)

runs = Table(
    "flow_runs",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("company_id", Id, nullable=False),
    Column("flow_id", Id, nullable=False),
    Column("flow_version_id", Id, nullable=False),
    Column("iteration", Integer, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("trigger", String(10), nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("has_warnings", Boolean, nullable=False),
    Column("stop_requested", Boolean, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("variables", Json),
    Column("summary", Json),
    Column("as_of", Instant, nullable=False),
    Column("queued_at", Instant, nullable=False),
    Column("ready_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("schedule_id", Id),
    Column("fire_at", Instant),
    Column("serial_key", Id),
    Column("retry_flow_run_id", Id),
    Column("origin_run_id", Id, nullable=False),
    UniqueConstraint("schedule_id", "fire_at"),
)
Index("ix_flow_runs_company", runs.c.company_id, runs.c.id)
Index("ix_flow_runs_version", runs.c.flow_version_id, runs.c.id)
Index("ix_flow_runs_flow", runs.c.flow_id, runs.c.id)
Index(
    "ix_flow_runs_queue",
    runs.c.priority,
    runs.c.id,
    sqlite_where=text("status = 0"),
    postgresql_where=text("status = 0"),
)
Index(
    "ix_flow_runs_started",
    runs.c.id,
    sqlite_where=text("status = 1"),
    postgresql_where=text("status = 1"),
)
Index(
    "ix_flow_runs_serial",
    runs.c.serial_key,
    runs.c.id,
    sqlite_where=text("status < 2 AND serial_key IS NOT NULL"),
    postgresql_where=text("status < 2 AND serial_key IS NOT NULL"),
)

payloads = Table(
    "payloads",
    metadata,
    _id(),
    Column("run_id", Id, nullable=False),
    Column("company_id", Id, nullable=False),
    Column("step_key", String(40), nullable=False),
    Column("position", String(255), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("state", Json),
    Column("content_type", String(255)),
    Column("meta", Json),
    Column("bytes", BigInteger, nullable=False),
    Column("encoding", String(8)),
    Column("body", LargeBinary),
    Column("blob", String(64), index=True),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("run_id", "step_key", "position", "kind"),
)

run_logs = Table(
    "flow_run_logs",
    metadata,
    _id(),
    Column("run_id", Id, nullable=False, index=True),
    Column("step_key", String(40)),
    Column("level", String(8), nullable=False),
    Column("message", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

metric_deltas = Table(
    "metric_deltas",
    metadata,
    _id(),
    Column("flow_id", Id, nullable=False, index=True),
    Column("flow_version_id", Id, nullable=False),
    Column("iteration", Integer, nullable=False),
    Column("minute", Instant, nullable=False),
    Column("type", String(12), nullable=False),
    Column("key", String(24), nullable=False),
    Column("value", BigInteger, nullable=False),
)

metrics = Table(
    "metrics",
    metadata,
    Column("flow_id", Id, primary_key=True),
    Column("interval", String(8), primary_key=True),
    Column("starts_at", Instant, primary_key=True),
    Column("flow_version_id", Id, primary_key=True),
    Column("type", String(12), primary_key=True),
    Column("key", String(24), primary_key=True),
    Column("iteration", Integer, nullable=False),
    Column("value", BigInteger, nullable=False),
)
Index(
    "ix_metrics_minute",
    metrics.c.starts_at,
    sqlite_where=text("interval = 'minute'"),
    postgresql_where=text("interval = 'minute'"),
)

webhooks = Table(
    "webhooks",
    metadata,
    _id(),
    _of("companies"),
    _of("flows", index=True),
    Column("ulid", String(26), nullable=False, unique=True),
    Column("name", String(255), nullable=False),
    Column("secret", Text),
    Column("created_at", Instant, nullable=False),
    **KEEP_IDS,
)

connections = Table(
    "connections",
    metadata,
    _id(),
    _of("companies", index=True),
    Column("name", String(255), nullable=False),
    Column("base_url", Text),
    Column("allowed_hosts", Json, nullable=False),
    Column("auth_type", String(40), nullable=False),
    Column("auth", Json, nullable=False),
    Column("secret", Text),
    Column("headers", Json, nullable=False),
    Column("timeout_seconds", Integer),
    *_times(),
    **KEEP_IDS,
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("company_id", Id, primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("run_id", Id, nullable=False),
    Column("created_at", Instant, nullable=False, index=True),
)

marketplace_apps = Table(
    "marketplace_apps",
    metadata,
    _id(),
    _of("companies", index=True),
    Column("flow_id", Id, nullable=False),
    Column("name", String(255), nullable=False),
    Column("description", Text, nullable=False),
    Column("latest_version", Integer, nullable=False),
    *_times(),
    UniqueConstraint("company_id", "flow_id"),
    **KEEP_IDS,
)

marketplace_app_versions = Table(
    "marketplace_app_versions",
    metadata,
    _id(),
    Column("marketplace_app_id", Id, ForeignKey("marketplace_apps.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("iteration", Integer, nullable=False),
    Column("document", Json, nullable=False),
    Column("uploaded_by", Id, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("marketplace_app_id", "version"),
    **KEEP_IDS,
)

# PostgreSQL hands run ids out in blocks, outside of transactions, so that a start knows its id before it is written.
RUN_ID_BLOCK = 1000
run_ids = Sequence("flow_run_ids", increment=RUN_ID_BLOCK, metadata=metadata)
