"""Runs: starting, listing, stopping and retrying them, their logs and payloads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select

from flowloom import errors
from flowloom.domain import run, trace_context, version
from flowloom.domain.payload import JSON_TYPE
from flowloom.engine import records
from flowloom.services import owned, releases, views
from flowloom.services.actor import Actor
from flowloom.services.platform import Platform
from flowloom.store import query, queue, tables
from flowloom.store.blobs import Packed

RUNS, LOGS, PAYLOADS, FLOWS = tables.runs.c, tables.run_logs.c, tables.payloads.c, tables.flows.c
STATUS_CHOICES: Final = {
    **{str(int(status)): int(status) for status in run.Status},
    **{status.name.lower(): int(status) for status in run.Status},
}
_IDS = ("id", "flow_id", "flow_version_id", "schedule_id", "retry_flow_run_id", "parent_run_id")
LISTING = query.Listing(
    select=select(tables.runs),
    id=RUNS.id,
    owner=RUNS.company_id,
    sorts={name: RUNS[name] for name in ("started_at", "queued_at", "finished_at")},
    filters={
        **{name: query.Filter(RUNS[name], "id", is_narrow=True) for name in _IDS},
        "status": query.Filter(
            RUNS.status,
            "choice",
            choices=STATUS_CHOICES,
            help="0 to 5, or the names",
            implied=[((0, 1), "status < 2"), ((2,), "status = 2"), ((3, 4, 5), "status IN (3, 4, 5)")],
        ),
        "trigger": query.Filter(
            RUNS.trigger, "choice", choices={kind.value: kind.value for kind in run.Trigger}
        ),
        "has_warnings": query.Filter(RUNS.has_warnings, "boolean", implied=[((True,), "has_warnings")]),
        "started_after": query.Filter(RUNS.started_at, "instant", "from", help="From this time on"),
        "started_before": query.Filter(RUNS.started_at, "instant", "before", help="Before this time"),
    },
    default_sort="-id",
    # In the order of ids, all runs that came after them would be passed over first.
    sorts_by_filter={"started_after": "-started_at", "started_before": "-started_at"},
    is_capped=True,
)
LOG_LISTING = query.Listing(
    select=select(tables.run_logs).where(LOGS.run_id == bindparam("run_id")),
    id=LOGS.id,
    filters={
        "level": query.Filter(
            LOGS.level, "choice", choices={level: level for level in ("debug", "info", "warning", "error")}
        ),
        "step_key": query.Filter(LOGS.step_key, "text"),
    },
    is_capped=True,
)
PAYLOAD_LISTING = query.Listing(
    select=select(*(column for column in PAYLOADS if column.name != "body")).where(
        PAYLOADS.company_id == bindparam("company_id"), PAYLOADS.content_type.is_not(None)
    ),
    id=PAYLOADS.id,
    filters={
        "flow_run_id": query.Filter(PAYLOADS.run_id, "id"),
        "step_key": query.Filter(PAYLOADS.step_key, "text"),
        "kind": query.Filter(
            PAYLOADS.kind, "choice", choices={kind: kind for kind in ("start", "effect", "answer")}
        ),
    },
    is_capped=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody asks to be started."""

    flow_id: int
    trigger: run.Trigger
    version_id: int | None = None
    body: bytes | None = None
    content_type: str = JSON_TYPE
    variables: Mapping[str, Any] | None = None
    idempotency: tuple[str, str] | None = None
    trace_context: trace_context.Headers | None = None


async def start(platform: Platform, actor: Actor, order: Order) -> queue.Started:
    """Queue a run; answers after its commit. Raises Missing, Invalid (none deployed, not runnable), Conflict."""
    if order.version_id is not None:
        await platform.database.read(
            _require_startable, actor, order.flow_id, order.version_id, order.idempotency
        )
    started = await platform.journal.start(
        queue.Start(
            company_id=actor.company_id,
            flow_id=order.flow_id,
            trigger=order.trigger,
            at=actor.at,
            version_id=order.version_id,
            body=await _packed(platform, order.body),
            content_type=order.content_type,
            variables=order.variables,
            idempotency=order.idempotency,
            started_by=actor.user_id,
            trace_context=order.trace_context,
        )
    )
    if not started.replayed:
        platform.broker.announce(started.run_id, started.priority)
    return started


async def _packed(platform: Platform, body: bytes | None) -> Packed | None:
    """A body ready to be stored; a large one is kept aside, so that no other request waits for it."""
    return None if body is None else await records.away(len(body), platform.blobs.pack, body)


def _require_startable(
    connection: Connection, actor: Actor, flow_id: int, version_id: int, idempotency: tuple[str, str] | None
) -> None:
    if queue.replayed(connection, actor.company_id, idempotency) is not None:
        return
    row = owned.load_version(connection, actor, version_id, flow_id=flow_id)
    if row.status == version.Status.DRAFT:
        releases.require_runnable(connection, actor, row)


def page(connection: Connection, actor: Actor, asked: query.Page) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of the company's runs, newest first."""
    found = query.fetch(connection, LISTING, asked, company_id=actor.company_id)
    return found, [view(row) for row in found.rows]


def get(connection: Connection, actor: Actor, id: int) -> dict[str, Any]:
    """One run. Raises Missing."""
    return view(load(connection, actor, id))


def as_queued(connection: Connection, actor: Actor, id: int) -> dict[str, Any]:
    """A run as it was when it was queued: what starting it answers, each time it is asked with the same key."""
    later = {"summary", "started_at", "finished_at", "duration_ms", "resume_at"}
    now = get(connection, actor, id)
    kept = {name: value for name, value in now.items() if name not in later}
    return {**kept, "status": int(run.Status.QUEUED), "has_warnings": False}


def load(connection: Connection, actor: Actor, id: int) -> Row[Any]:
    """A run's row. Raises Missing."""
    row = connection.execute(
        select(tables.runs).where(RUNS.id == id, RUNS.company_id == actor.company_id)
    ).one_or_none()
    if row is None:
        raise errors.Missing("Flow run", id)
    return row


def newest(connection: Connection, version_id: int, count: int) -> list[dict[str, Any]]:
    """The newest runs of a version."""
    found = (
        select(tables.runs).where(RUNS.flow_version_id == version_id).order_by(RUNS.id.desc()).limit(count)
    )
    return [view(row) for row in connection.execute(found)]


def logs(
    connection: Connection, actor: Actor, id: int, asked: query.Page
) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of a run's log lines. Raises Missing."""
    load(connection, actor, id)
    found = query.fetch(connection, LOG_LISTING, asked, run_id=id)
    return found, [_log_view(row) for row in found.rows]


def payloads(
    connection: Connection, actor: Actor, asked: query.Page
) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of what is known of payloads, without their bodies."""
    found = query.fetch(connection, PAYLOAD_LISTING, asked, company_id=actor.company_id)
    return found, [_payload_view(row) for row in found.rows]


def payload_row(connection: Connection, actor: Actor, id: int) -> Row[Any]:
    """A payload with its stored body. Raises Missing."""
    found = select(tables.payloads).where(
        PAYLOADS.id == id, PAYLOADS.company_id == actor.company_id, PAYLOADS.content_type.is_not(None)
    )
    row = connection.execute(found).one_or_none()
    if row is None:
        raise errors.Missing("Payload", id)
    return row


def payload(connection: Connection, actor: Actor, id: int) -> dict[str, Any]:
    """What is known of one payload. Raises Missing."""
    return _payload_view(payload_row(connection, actor, id))


def view(row: Row[Any]) -> dict[str, Any]:
    """A run as the API shows it."""
    duration = (row.finished_at - row.started_at) if row.finished_at and row.started_at else None
    return views.present(
        {
            "id": row.id,
            "flow_id": row.flow_id,
            "flow_version_id": row.flow_version_id,
            "iteration": row.iteration,
            "trigger": row.trigger,
            "status": row.status,
            "has_warnings": row.has_warnings,
            "summary": _summary(row),
            "queued_at": views.instant(row.queued_at),
            "ready_at": views.instant(row.ready_at),
            "started_at": views.instant(row.started_at),
            "finished_at": views.instant(row.finished_at),
            "duration_ms": None if duration is None else round(duration.total_seconds() * 1000, 3),
            "schedule_id": row.schedule_id,
            "fire_at": views.instant(row.fire_at),
            "retry_flow_run_id": row.retry_flow_run_id,
            "parent_run_id": row.parent_run_id,
            "started_by": row.started_by,
            "start_step": row.start_step,
            "resume_at": views.instant(row.resume_at),
        }
    )


def _log_view(row: Row[Any]) -> dict[str, Any]:
    return views.present(
        {
            "id": row.id,
            "flow_run_id": row.run_id,
            "step_key": row.step_key,
            "level": row.level,
            "message": row.message,
            "created_at": views.instant(row.created_at),
        }
    )


def _payload_view(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "flow_run_id": row.run_id,
        "step_key": row.step_key,
        "position": row.position,
        "kind": row.kind,
        "content_type": row.content_type,
        "meta": row.meta or {},
        "bytes": row.bytes,
        "created_at": views.instant(row.created_at),
    }


def _summary(row: Row[Any]) -> dict[str, Any] | None:
    """What a run says of itself, without what it keeps for its end while it waits."""
    return row.summary and {name: said for name, said in row.summary.items() if name != "counted"}
