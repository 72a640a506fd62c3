"""What a company draws: flows, versions with their steps and routes, schedules, webhooks, marketplace apps."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from flowloom.store.columns import Id, Instant, Json
from flowloom.store.tables import parts

flows = Table(
    "flows",
    parts.metadata,
    parts.id(),
    parts.of("companies", index=True),
    Column("name", String(255), nullable=False),
    Column("description", Text, nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("labels", Json, nullable=False),
    # Days; NULL is what the server's settings say.
    Column("log_retention_days", Integer),
    Column("payload_retention_days", Integer),
    Column("last_iteration", Integer, nullable=False),
    # Runs at the same time; 0 is no limit of its own. Runs whose key is equal go one at a time.
    Column("concurrency", Integer, nullable=False, server_default="0"),
    Column("concurrency_key", Text),
    Column("run_timeout_seconds", Integer),
    # {notification_group_id, on_failure, on_recovery, on_zero_records, silent_after_minutes}, and what was said last.
    Column("alerts", Json),
    Column("alert_state", Json),
    *parts.times(),
    **parts.KEEP_IDS,
)

versions = Table(
    "flow_versions",
    parts.metadata,
    parts.id(),
    parts.of("flows"),
    Column("iteration", Integer, nullable=False),
    Column("status", String(10), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("steps_count", Integer, nullable=False),
    Column("has_callback_step", Boolean, nullable=False),
    Column("variables", Json, nullable=False),
    # {name: {sealed, digest}}: see store/secret_variables.
    Column("secrets", Json, nullable=False, server_default="{}"),
    Column("label", String(255)),
    Column("message", Text),
    Column("deployed_at", Instant),
    Column("deployed_by", Id),
    Column("saved_at", Instant),
    Column("saved_by", Id),
    *parts.times(),
    UniqueConstraint("flow_id", "iteration"),
    **parts.KEEP_IDS,
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
    parts.metadata,
    parts.id(),
    parts.of("flow_versions", index=True),
    Column("key", String(40), nullable=False),
    Column("microservice", String(40), nullable=False),
    Column("name", String(255), nullable=False),
    Column("config", Json, nullable=False),
    Column("position", Json),
    Column("parent_id", Id),
    Column("flow_step_route_id", Id),
    Column("is_enabled", Boolean, nullable=False),
    Column("variables", Json, nullable=False),
    *parts.times(),
    UniqueConstraint("flow_version_id", "key"),
    **parts.KEEP_IDS,
)

routes = Table(
    "flow_step_routes",
    parts.metadata,
    parts.id(),
    parts.of("flow_versions", index=True),
    Column("flow_step_id", Id, nullable=False),
    Column("key", String(40), nullable=False),
    Column("name", String(255), nullable=False),
    Column("position", Integer, nullable=False),
    Column("where", Json),
    *parts.times(),
    UniqueConstraint("flow_version_id", "key"),
    **parts.KEEP_IDS,
)

definitions = Table(
    "definitions",
    parts.metadata,
    Column("content_hash", String(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
    # As in its version; the body holds the digests only.
    Column("secrets", Json),
)

schedules = Table(
    "schedules",
    parts.metadata,
    parts.id(),
    parts.of("flow_versions", index=True),
    Column("cron_string", String(255), nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("overlap", String(8), nullable=False),
    Column("catch_up", String(8), nullable=False),
    Column("jitter_seconds", Integer, nullable=False),
    Column("dst_gap", String(8), nullable=False),
    Column("dst_repeat", String(8), nullable=False),
    Column("next_run_at", Instant, index=True),
    Column("settled_until", Instant),
    *parts.times(),
    **parts.KEEP_IDS,
)

schedule_slots = Table(
    "schedule_slots",
    parts.metadata,
    parts.id(),
    Column("schedule_id", Id, nullable=False, index=True),
    Column("flow_version_id", Id, nullable=False),
    Column("reason", String(12), nullable=False),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("count", Integer, nullable=False),
)

webhooks = Table(
    "webhooks",
    parts.metadata,
    parts.id(),
    parts.of("companies"),
    parts.of("flows", index=True),
    Column("ulid", String(26), nullable=False, unique=True),
    Column("name", String(255), nullable=False),
    Column("secret", Text),
    Column("created_at", Instant, nullable=False),
    **parts.KEEP_IDS,
)

marketplace_apps = Table(
    "marketplace_apps",
    parts.metadata,
    parts.id(),
    parts.of("companies", index=True),
    Column("flow_id", Id, nullable=False),
    Column("name", String(255), nullable=False),
    Column("description", Text, nullable=False),
    Column("latest_version", Integer, nullable=False),
    *parts.times(),
    UniqueConstraint("company_id", "flow_id"),
    **parts.KEEP_IDS,
)

marketplace_app_versions = Table(
    "marketplace_app_versions",
    parts.metadata,
    parts.id(),
    Column("marketplace_app_id", Id, ForeignKey("marketplace_apps.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("iteration", Integer, nullable=False),
    Column("document", Json, nullable=False),
    Column("uploaded_by", Id, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("marketplace_app_id", "version"),
    **parts.KEEP_IDS,
)
