"""What a run shows of itself afterwards: its steps in order, and what each was given and gave on."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection

from flowloom.domain import formats, graph
from flowloom.domain.payload import Payload
from flowloom.services import runs, views
from flowloom.services.actor import Actor
from flowloom.store import blobs, definitions

# A larger body is left out of the list; `is_cut` says so.
SHOWN_BYTES: Final = 256 * 1024


def steps(connection: Connection, actor: Actor, run_id: int) -> list[dict[str, Any]]:
    """The steps of a run's definition in run order, each with what it did in this run. Raises Missing."""
    row = runs.load(connection, actor, run_id)
    did = {step["key"]: step for step in (row.summary or {}).get("steps", ())}
    return [
        _step_view(step, did.get(step.key)) for step in definitions.load(connection, row.content_hash).steps
    ]


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
    shown = {name: value for name, value in (did or {}).items() if name != "lines"}
    return views.present({**about, **shown})


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
