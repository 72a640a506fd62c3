"""What a run shows of itself afterwards: its steps in order, and what each was given and gave on."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from flowloom.domain import formats, graph, run
from flowloom.domain.payload import Payload
from flowloom.services import kept, runs, views, waited
from flowloom.services.actor import Actor
from flowloom.store import blobs, definitions, tables

LOGS = tables.run_logs.c
# Of a run that goes on no more is looked at: what its steps said at first tells which of them it has reached.
MAX_LINES: Final = 10_000
# A larger body is left out of the list; `is_cut` says so.
SHOWN_BYTES: Final = 256 * 1024
# What a run keeps of a step for itself.
_INNER: Final = frozenset({"lines", "waits"})


def steps(connection: Connection, actor: Actor, run_id: int) -> list[dict[str, Any]]:
    """The steps of a run's definition in run order, each with what it did in this run. Raises Missing."""
    row = runs.load(connection, actor, run_id)
    definition = definitions.load(connection, row.content_hash)
    did: dict[str, dict[str, Any]] = {key: {} for key in _progress(connection, row, definition)}
    did |= {step["key"]: _did(step, row, actor.at) for step in (row.summary or {}).get("steps", ())}
    return [_step_view(step, did.get(step.key)) for step in definition.steps]


def progress(connection: Connection, actor: Actor, run_id: int) -> dict[str, str]:
    """The steps of a run that goes on, each "started" or "finished", as far as that is written. Raises Missing."""
    row = runs.load(connection, actor, run_id)
    return _progress(connection, row, definitions.load(connection, row.content_hash))


def _progress(connection: Connection, row: Row[Any], definition: graph.Definition) -> dict[str, str]:
    if row.status != run.Status.STARTED:
        return {}
    names = {step.key: step.name for step in definition.steps}
    lines = select(LOGS.step_key, LOGS.message).where(LOGS.run_id == row.id, LOGS.step_key.is_not(None))
    found: dict[str, str] = {}
    for line in connection.execute(lines.order_by(LOGS.id).limit(MAX_LINES)):
        # How a step went stands in the line that begins with its name.
        is_end = line.message.startswith(f"{names.get(line.step_key)}: ")
        found[line.step_key] = "finished" if is_end else found.get(line.step_key, "started")
    return found


def _step_view(step: graph.StepDefinition, did: dict[str, Any] | None) -> dict[str, Any]:
    about = {
        "key": step.key,
        "name": step.name,
        "microservice": step.microservice,
        "parent": step.parent,
        "route": step.route,
        "config": step.config,
        "was_reached": did is not None,
    }
    return views.present({**about, **(did or {})})


def _did(step: dict[str, Any], row: Row[Any], now: datetime) -> dict[str, Any]:
    """What a step did; a wait outside of memory counts until now, or until the run was stopped in it."""
    until = now if row.resume_at is not None else row.finished_at
    return {name: value for name, value in waited.counted(step, until).items() if name not in _INNER}


def require_payloads(connection: Connection, actor: Actor, run_id: int, payload_days: int) -> None:
    """Raise Missing for a run that is not there, Conflict for an ended one whose payloads are gone."""
    row = runs.load(connection, actor, run_id)
    if run.is_finished(row.status):
        kept.require_payloads(connection, actor, row, payload_days)


def payload_view(payload: Payload) -> dict[str, Any]:
    """A payload at one side of a step."""
    payload = formats.settled(payload)
    raw = blobs.encode(payload)
    is_cut = len(raw) > SHOWN_BYTES
    shown = payload.body if payload.has_records else raw.decode("utf-8", "replace")
    return views.present(
        {
            "position": payload.position,
            "content_type": payload.content_type,
            "meta": dict(payload.meta),
            "bytes": len(raw),
            "is_cut": is_cut,
            **({} if is_cut else {"body": shown}),
        }
    )
