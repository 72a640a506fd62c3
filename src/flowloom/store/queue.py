"""The queue: how a run comes to be, and the one place that says which version runs now. `claims` takes them from it."""

from __future__ import annotations

import enum
import itertools
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, and_, bindparam, func, or_, select

from flowloom import errors
from flowloom.domain import graph, run, templates, trace_context, version
from flowloom.domain.payload import JSON_TYPE
from flowloom.store import columns, database, definitions, lanes, many, places, tables, takeovers
from flowloom.store.blobs import Packed

FLOWS, VERSIONS, RUNS, PAYLOADS = tables.flows.c, tables.versions.c, tables.runs.c, tables.payloads.c
BLOCK_AGE: Final = timedelta(minutes=1)
_FOREVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class Start:
    """A run that shall be. `version_id` None means the Deployed version at the moment it is written."""

    company_id: int
    flow_id: int
    trigger: run.Trigger
    at: datetime
    version_id: int | None = None
    body: Packed | None = None
    content_type: str = JSON_TYPE
    meta: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, Any] | None = None
    idempotency: tuple[str, str] | None = None
    schedule_id: int | None = None
    fire_at: datetime | None = None
    ready_at: datetime | None = None
    serial_key: int | None = None
    started_by: int | None = None
    retry: Retry | None = None
    parent: Parent | None = None
    trace_context: trace_context.Headers | None = None


@dataclass(slots=True, kw_only=True)
class Parent:
    """Where in a run a child run is started; of those that one step starts, `parallel_limit` run at a time."""

    place: places.Place
    is_awaited: bool
    parallel_limit: int | None
    depth: int


class TakesOver(enum.Enum):
    """Which checkpoints a retry reuses."""

    ALL = "all"
    OF_PAYLOAD = "those of the payload it begins with"
    NOTHING = "nothing"


@dataclass(slots=True, kw_only=True)
class Retry:
    """What a retry takes over: the run it repeats, the version it runs, the steps it does not reuse checkpoints of.

    `moved_steps` are those below, to which other payloads may come. `origin_run_id` None: what it sends is new.
    With `start_step` it begins there, at this position of the payload.
    """

    run_id: int
    origin_run_id: int | None
    as_of: datetime
    chosen: Chosen
    forget_steps: Sequence[str] = ()
    moved_steps: Sequence[str] = ()
    start_step: str | None = None
    position: str = "0"
    takes_over: TakesOver = TakesOver.ALL


class Chosen(NamedTuple):
    """The version that a start runs."""

    version_id: int
    iteration: int
    status: str
    content_hash: str
    priority: int
    concurrency_key: str | None = None
    timeout_seconds: int | None = None


class Started(msgspec.Struct, frozen=True):
    """A committed run. `replayed` tells that the idempotency key had been used before; a new run has a priority."""

    run_id: int
    replayed: bool = False
    priority: int = 0


class RunIds:
    """Hands out run ids: a database sequence in blocks on PostgreSQL, a counter on SQLite, where one process writes.

    What a process does not use of a block within `BLOCK_AGE` is left out: whichever process starts a run, ids rise
    with time but for that much.
    """

    def __init__(self) -> None:
        self._block: Any = iter(())
        self._good_until = columns.EPOCH
        self._lock = threading.Lock()

    def take(self, connection: Connection, at: datetime) -> int:
        """The id of a run that is queued at this time."""
        with self._lock:
            taken = next(self._block, None) if at < self._good_until else None
            if taken is None:
                self._block = self._refill(connection, at)
                taken = next(self._block)
            return int(taken)

    def _refill(self, connection: Connection, at: datetime) -> Any:
        if connection.dialect.name == "sqlite":
            self._good_until = _FOREVER
            return itertools.count((connection.scalar(select(func.max(RUNS.id))) or 0) + 1)
        self._good_until = at + BLOCK_AGE
        first = connection.execute(tables.run_ids.next_value().select()).scalar_one()
        return iter(range(first, first + tables.RUN_ID_BLOCK))


_STARTABLE = (
    select(
        FLOWS.id.label("flow_id"),
        FLOWS.company_id,
        FLOWS.is_enabled,
        FLOWS.priority,
        FLOWS.concurrency_key,
        FLOWS.run_timeout_seconds,
        VERSIONS.id.label("version_id"),
        VERSIONS.iteration,
        VERSIONS.status,
        VERSIONS.content_hash,
    )
    .select_from(tables.flows)
    .join(
        tables.versions,
        and_(
            VERSIONS.flow_id == FLOWS.id,
            or_(
                VERSIONS.status == version.Status.DEPLOYED,
                VERSIONS.id.in_(bindparam("version_ids", expanding=True)),
            ),
        ),
        isouter=True,
    )
    .where(FLOWS.id.in_(bindparam("flow_ids", expanding=True)))
)

Candidates = dict[tuple[int, int | None], Any]


def current_versions(connection: Connection, starts: Sequence[Start]) -> Candidates:
    """Which version each start would run: by (flow, asked version), with None for the Deployed one."""
    asked = {start.version_id for start in starts if start.version_id is not None}
    rows = connection.execute(
        _STARTABLE, {"flow_ids": list({start.flow_id for start in starts}), "version_ids": list(asked)}
    )
    found: Candidates = {}
    for row in rows:
        if row.status in (version.Status.DEPLOYED, None):
            found[row.flow_id, None] = row
        if row.version_id is not None:
            found[row.flow_id, row.version_id] = row
            found.setdefault((row.flow_id, None), row)
    return found


def choose(found: Candidates, start: Start) -> Chosen:
    """The version that a start runs now. Raises Missing, Invalid (none deployed) or Conflict (disabled)."""
    if start.retry is not None:
        return start.retry.chosen
    flow = found.get((start.flow_id, None))
    if flow is None or flow.company_id != start.company_id:
        raise errors.Missing("Flow", start.flow_id)
    chosen = found.get((start.flow_id, start.version_id))
    if start.version_id is not None and chosen is None:
        raise errors.Missing("Version", start.version_id)
    if start.version_id is None and flow.status != version.Status.DEPLOYED:
        raise errors.Invalid.field(
            "flow", f"Flow {start.flow_id} has no Deployed version; deploy one, or name the version to start."
        )
    if start.trigger in run.AUTOMATIC and not flow.is_enabled:
        raise errors.Conflict(f"Flow {start.flow_id} is disabled; enable it (is_enabled: true) first.")
    row = chosen if chosen is not None else flow
    return Chosen(
        row.version_id,
        row.iteration,
        row.status,
        row.content_hash,
        row.priority,
        row.concurrency_key,
        row.run_timeout_seconds,
    )


def enqueue(connection: Connection, ids: RunIds, starts: Sequence[Start]) -> list[Started | Exception]:
    """Write the runs of these starts; each answer is a Started or why that one could not be.

    A start with an idempotency key that was used before answers the first run, or Invalid for another request.
    """
    found = current_versions(connection, starts)
    answers: list[Started | Exception] = []
    written: list[tuple[int, Start, Chosen]] = []
    for start in starts:
        try:
            # What was answered before is answered again, whatever became of the flow meanwhile.
            first = replayed(connection, start.company_id, start.idempotency)
            if first is not None:
                answers.append(first)
                continue
            chosen = choose(found, start)
            _require_no_secret(connection, start, chosen)
            answer = _claim_key(connection, start, ids.take(connection, start.at), chosen.priority)
        except errors.FlowloomError as error:
            answers.append(error)
            continue
        answers.append(answer)
        if not answer.replayed:
            written.append((answer.run_id, start, chosen))
    _write(connection, written)
    return answers


def _require_no_secret(connection: Connection, start: Start, chosen: Chosen) -> None:
    """Raise Invalid for variables of a run that are secrets of its version. A retry has the variables of its run."""
    if not start.variables or start.retry is not None:
        return
    secrets = connection.scalar(select(VERSIONS.secrets).where(VERSIONS.id == chosen.version_id)) or {}
    for name in sorted(start.variables.keys() & secrets.keys()):
        raise errors.Invalid.field(
            f"flow_variables.{name}", f"'{name}' is a secret of the version; it cannot be given to a run."
        )


def _write(connection: Connection, written: Sequence[tuple[int, Start, Chosen]]) -> None:
    if not written:
        return
    rows = [
        {**_run_row(id, start, pinned(connection, chosen)), "lane": _lane(connection, start, chosen)}
        for id, start, chosen in written
    ]
    # A slot that has fired before stays as it fired, whatever the clock was set to meanwhile.
    many.insert(connection, tables.runs, rows, unless=(RUNS.schedule_id, RUNS.fire_at))
    bodies = [_start_payload(run_id, start) for run_id, start, _ in written if start.body is not None]
    many.insert(connection, tables.payloads, bodies)
    places.keep(connection, [_note(id, start, start.parent) for id, start, _ in written if start.parent])
    for run_id, start, _ in written:
        if start.retry is not None:
            _take_over(connection, run_id, start.retry)


def _note(run_id: int, start: Start, parent: Parent) -> dict[str, Any]:
    return places.note(start.company_id, parent.place, run_id, start.at)


def pinned(connection: Connection, chosen: Chosen) -> Chosen:
    """A Draft as it stands now, kept so that the run can be executed after the next edit."""
    if chosen.status != version.Status.DRAFT:
        return chosen
    return chosen._replace(content_hash=definitions.keep(connection, chosen.version_id))


def _lane(connection: Connection, start: Start, chosen: Chosen) -> str | None:
    """What is equal for runs that go one at a time; a retry keeps the lane of the run it repeats."""
    if start.retry is not None:
        return lanes.of_run(connection, start.retry.run_id)
    if chosen.concurrency_key is None:
        return None
    body = lanes.body_of(start.body, start.content_type)
    scope = templates.Scope(start.variables or {}, body, start.at, start.meta)
    return lanes.of_key(connection, start.flow_id, chosen.version_id, chosen.concurrency_key, scope)


def _run_row(run_id: int, start: Start, chosen: Chosen) -> dict[str, Any]:
    retry, parent = start.retry, start.parent
    return {
        "id": run_id,
        "company_id": start.company_id,
        "flow_id": start.flow_id,
        "flow_version_id": chosen.version_id,
        "iteration": chosen.iteration,
        "content_hash": chosen.content_hash,
        "trigger": start.trigger,
        "status": run.Status.QUEUED,
        "priority": chosen.priority,
        "has_warnings": False,
        "stop_requested": False,
        "fence": 0,
        "variables": start.variables,
        "as_of": retry.as_of if retry else start.at,
        "queued_at": start.at,
        "ready_at": start.ready_at or start.at,
        "schedule_id": start.schedule_id,
        "fire_at": start.fire_at,
        "serial_key": start.serial_key,
        "retry_flow_run_id": retry.run_id if retry else None,
        "origin_run_id": (retry and retry.origin_run_id) or run_id,
        "started_by": start.started_by,
        "version_choice": _version_choice(start),
        "start_step": retry.start_step if retry else None,
        "timeout_seconds": chosen.timeout_seconds,
        "parent_run_id": parent.place.run_id if parent else None,
        "parent_step_key": parent.place.step_key if parent else None,
        "is_awaited": parent is not None and parent.is_awaited,
        "parallel_limit": parent.parallel_limit if parent else None,
        "depth": parent.depth if parent else 0,
        "trace_context": start.trace_context,
    }


def _version_choice(start: Start) -> str:
    if start.retry is not None and start.parent is None:
        return "retry"
    if start.schedule_id is not None:
        return "schedule"
    return "deployed" if start.version_id is None else "named"


def _start_payload(run_id: int, start: Start) -> dict[str, Any]:
    assert start.body is not None
    return {
        "run_id": run_id,
        "company_id": start.company_id,
        "step_key": (start.retry and start.retry.start_step) or graph.TRIGGER,
        "position": start.retry.position if start.retry else "0",
        "kind": "start",
        "content_type": start.content_type,
        "meta": dict(start.meta),
        "bytes": start.body.size_bytes,
        "encoding": start.body.encoding,
        "body": start.body.body,
        "blob": start.body.blob,
        "created_at": start.at,
    }


def _claim_key(connection: Connection, start: Start, run_id: int, priority: int) -> Started:
    if start.idempotency is None:
        return Started(run_id, priority=priority)
    key, fingerprint = start.idempotency
    row = {
        "company_id": start.company_id,
        "key": key,
        "fingerprint": fingerprint,
        "run_id": run_id,
        "created_at": start.at,
    }
    keys = tables.idempotency_keys.c
    claimed = database.insert_or_ignore(connection, tables.idempotency_keys).returning(keys.run_id)
    if connection.execute(claimed, row).first() is not None:
        return Started(run_id, priority=priority)
    # Another transaction claimed it meanwhile.
    first = replayed(connection, start.company_id, start.idempotency)
    assert first is not None
    return first


def replayed(connection: Connection, company_id: int, idempotency: tuple[str, str] | None) -> Started | None:
    """What the first start with this (key, fingerprint) was answered. Raises Invalid if that was another request."""
    if idempotency is None:
        return None
    keys = tables.idempotency_keys.c
    key, fingerprint = idempotency
    first = connection.execute(
        select(keys.fingerprint, keys.run_id).where(keys.company_id == company_id, keys.key == key)
    ).one_or_none()
    if first is None:
        return None
    if first.fingerprint != fingerprint:
        raise errors.Invalid.field(
            "Idempotency-Key", "This key was used for another request; use a new key for a new request."
        )
    return Started(first.run_id, replayed=True)


def _take_over(connection: Connection, run_id: int, retry: Retry) -> None:
    match retry.takes_over:
        case TakesOver.ALL:
            takeovers.whole(connection, run_id, retry.run_id, retry.forget_steps, retry.moved_steps)
        case TakesOver.OF_PAYLOAD:
            takeovers.of_payload(connection, run_id, retry.run_id, retry.start_step or "", retry.position)
        case TakesOver.NOTHING:
            pass
