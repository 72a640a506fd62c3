"""What comes of running: runs, their payloads and logs, and what is counted of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    Sequence,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from flowloom.store import columns
from flowloom.store.columns import Id, Instant, Json
from flowloom.store.tables import parts


def _index_where(name: str, condition: str, *columns: Column[Any]) -> None:
    """An index of the rows that the condition holds for."""
    Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))


runs = Table(
    "flow_runs",
    parts.metadata,
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
    Column("lane", String(64)),
    # How it stands to the runs it must wait for; see store/claims.
    Column("gate", SmallInteger, nullable=False, server_default="0"),
    # What held it up before it began; see store/holds.
    Column("holds", Text),
    Column("retry_flow_run_id", Id),
    Column("origin_run_id", Id, nullable=False),
    Column("started_by", Id),
    # How its version was chosen: deployed, named, schedule or retry.
    Column("version_choice", String(10)),
    # Where a run begins that is not begun at its trigger: a dead letter's re-drive, an edited payload.
    Column("start_step", String(40)),
    # How long the run may take in all, as its flow said when it was queued.
    Column("timeout_seconds", Integer),
    # A started run that waits outside of memory, and when it is taken up again.
    Column("resume_at", Instant),
    Column("parent_run_id", Id),
    Column("parent_step_key", String(40)),
    Column("is_awaited", Boolean, nullable=False, server_default=text("false")),
    Column("parallel_limit", Integer),
    Column("depth", SmallInteger, nullable=False, server_default="0"),
    # The process that works on it, where there are several.
    Column("worker_id", Id),
    # The trace that it was started in, as the headers that hand it on; see domain/trace_context.
    Column("trace_context", Json),
    UniqueConstraint("schedule_id", "fire_at"),
)
Index("ix_flow_runs_company", runs.c.company_id, runs.c.id)
# What waits or has begun, to be counted: there are many more runs that ended.
_index_where("ix_flow_runs_unfinished", "status < 2", runs.c.company_id, runs.c.id)
# Lists are of a company: with it in the index, counting a flow's runs touches no row.
Index("ix_flow_runs_by_version", runs.c.flow_version_id, runs.c.id, runs.c.company_id)
Index("ix_flow_runs_by_flow", runs.c.flow_id, runs.c.id, runs.c.company_id)
# What claiming reads. The conditions stand word for word in the statements of store/claims: only then is an index used.
_index_where(
    "ix_flow_runs_open",
    "status = 0 AND gate < 2",
    runs.c.priority,
    runs.c.company_id,
    runs.c.ready_at,
    runs.c.id,
)
_index_where("ix_flow_runs_begun", "status < 2 AND fence > 0", runs.c.flow_id, runs.c.id)
_index_where(
    "ix_flow_runs_turn", "status < 2 AND serial_key IS NOT NULL", runs.c.serial_key, runs.c.fence, runs.c.id
)
_index_where("ix_flow_runs_lane", "status < 2 AND lane IS NOT NULL", runs.c.lane, runs.c.fence, runs.c.id)
_index_where(
    "ix_flow_runs_siblings",
    "status < 2 AND parent_run_id IS NOT NULL",
    runs.c.parent_run_id,
    runs.c.parent_step_key,
    runs.c.fence,
    runs.c.id,
)
_index_where(
    "ix_flow_runs_full_flow",
    "status = 0 AND gate = 4",
    runs.c.flow_id,
    runs.c.priority,
    runs.c.ready_at,
    runs.c.id,
)
_index_where("ix_flow_runs_ended", "status > 1 AND gate > 0", runs.c.id)
_index_where("ix_flow_runs_failed", "status IN (3, 5)", runs.c.company_id, runs.c.id)
# What is worked on now: as many as there are places, however many wait.
_index_where("ix_flow_runs_worked", "status = 1 AND resume_at IS NULL", runs.c.company_id, runs.c.worker_id)
_index_where("ix_flow_runs_resume", "resume_at IS NOT NULL", runs.c.resume_at)
_index_where("ix_flow_runs_retry", "retry_flow_run_id IS NOT NULL", runs.c.retry_flow_run_id)
_index_where("ix_flow_runs_parent", "parent_run_id IS NOT NULL", runs.c.parent_run_id, runs.c.id)

# What lists of runs are narrowed by, where most runs are something else. `services/runs` says the conditions word for
# word.
_id, _company, _flow = runs.c.id, runs.c.company_id, runs.c.flow_id
_started_at: Any = columns.missing_first(runs.c.started_at)
Index("ix_flow_runs_trigger", _company, runs.c.trigger, _id)
Index("ix_flow_runs_flow_trigger", _flow, runs.c.trigger, _id, _company)
Index("ix_flow_runs_started", _company, _started_at, _id)
Index("ix_flow_runs_flow_started", _flow, _started_at, _id, _company)
_index_where("ix_flow_runs_schedule", "schedule_id IS NOT NULL", runs.c.schedule_id, _id, _company)
_index_where("ix_flow_runs_warned", "has_warnings", _company, runs.c.has_warnings, _id)
# Those that succeeded are most; counting them touches no row.
_index_where("ix_flow_runs_good", "status = 2", _company, _id)
_index_where("ix_flow_runs_bad", "status IN (3, 4, 5)", _company, runs.c.status, _id)
_index_where("ix_flow_runs_flow_bad", "status IN (3, 4, 5)", _flow, runs.c.status, _id, _company)
_index_where("ix_flow_runs_bad_started", "status IN (3, 4, 5)", _company, _started_at, _id, runs.c.status)

payloads = Table(
    "payloads",
    parts.metadata,
    parts.id(),
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
# What is listed as a payload. Kept narrow: with the content type in it SQLite counts without looking at rows, and
# PostgreSQL reads the table instead.
_index_where("ix_payloads_listed", "content_type IS NOT NULL", payloads.c.company_id, payloads.c.id)

run_logs = Table(
    "flow_run_logs",
    parts.metadata,
    parts.id(),
    Column("run_id", Id, nullable=False, index=True),
    Column("step_key", String(40)),
    Column("level", String(8), nullable=False),
    Column("message", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

# A payload that failed for good, as it was given to the step that failed it.
dead_letters = Table(
    "dead_letters",
    parts.metadata,
    parts.id(),
    Column("company_id", Id, nullable=False),
    Column("flow_id", Id, nullable=False),
    Column("flow_version_id", Id, nullable=False),
    Column("iteration", Integer, nullable=False),
    Column("run_id", Id, nullable=False),
    Column("step_key", String(40), nullable=False),
    Column("step_name", String(255), nullable=False),
    Column("position", String(255), nullable=False),
    # Of what the payload holds, so that one that stands there later is not taken for it.
    Column("digest", String(32)),
    Column("error_class", String(20), nullable=False),
    Column("message", Text, nullable=False),
    # Whether a try-catch took it, so that its run went on.
    Column("is_caught", Boolean, nullable=False),
    Column("content_type", String(255), nullable=False),
    Column("meta", Json, nullable=False),
    Column("variables", Json, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("encoding", String(8)),
    Column("body", LargeBinary),
    Column("blob", String(64), index=True),
    Column("state", String(10), nullable=False),
    Column("resolved_at", Instant),
    Column("resolved_by", Id),
    Column("redrive_run_id", Id),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("run_id", "step_key", "position"),
    **parts.KEEP_IDS,
)
Index("ix_dead_letters_company", dead_letters.c.company_id, dead_letters.c.id)
_index_where("ix_dead_letters_open", "state = 'open'", dead_letters.c.company_id)
Index("ix_dead_letters_flow", dead_letters.c.flow_id, dead_letters.c.id)

# A call of a connector to its system and what came back, without secrets.
exchanges = Table(
    "exchanges",
    parts.metadata,
    parts.id(),
    Column("run_id", Id, nullable=False, index=True),
    Column("step_key", String(40), nullable=False),
    Column("position", String(255), nullable=False),
    Column("request", Json, nullable=False),
    Column("response", Json),
    Column("error", Text),
    Column("duration_ms", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
)

tracked = Table(
    "tracked",
    parts.metadata,
    parts.id(),
    Column("company_id", Id, nullable=False),
    Column("flow_id", Id, nullable=False),
    Column("flow_version_id", Id, nullable=False),
    Column("run_id", Id, nullable=False),
    Column("step_key", String(40), nullable=False),
    Column("entity_type", String(100), nullable=False),
    Column("value", String(255), nullable=False),
    Column("direction", String(8), nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("run_id", "step_key", "entity_type", "value", "direction"),
)
Index("ix_tracked_value", tracked.c.company_id, tracked.c.value, tracked.c.id)

metric_deltas = Table(
    "metric_deltas",
    parts.metadata,
    parts.id(),
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
    parts.metadata,
    Column("flow_id", Id, primary_key=True),
    Column("interval", String(8), primary_key=True),
    Column("starts_at", Instant, primary_key=True),
    Column("flow_version_id", Id, primary_key=True),
    Column("type", String(12), primary_key=True),
    Column("key", String(24), primary_key=True),
    Column("iteration", Integer, nullable=False),
    Column("value", BigInteger, nullable=False),
)
_index_where("ix_metrics_minute", "interval = 'minute'", metrics.c.starts_at)
# How runs ended, of all flows at once: alone in their index, they are not looked up among the many other metrics.
_index_where(
    "ix_metrics_runs",
    "type = 'runs'",
    metrics.c.flow_id,
    metrics.c.interval,
    metrics.c.starts_at,
    metrics.c.type,
    metrics.c.key,
    metrics.c.value,
)

idempotency_keys = Table(
    "idempotency_keys",
    parts.metadata,
    Column("company_id", Id, primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("run_id", Id, nullable=False),
    # What a request that starts many runs was answered; its `run_id` is 0.
    Column("answer", Json),
    Column("created_at", Instant, nullable=False, index=True),
)

# PostgreSQL hands run ids out in blocks, outside of transactions, so that a start knows its id before it is written.
RUN_ID_BLOCK = 1000
run_ids = Sequence("flow_run_ids", increment=RUN_ID_BLOCK, metadata=parts.metadata)
