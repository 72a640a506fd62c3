"""Flows and versions as their company owns them: looked up by id, locked, edited, shown.

What every use case about them stands on. A record of another company is Missing.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from flowloom import errors
from flowloom.domain import graph, version
from flowloom.services import views
from flowloom.services.actor import Actor
from flowloom.store import definitions, tables

FLOWS, VERSIONS = tables.flows.c, tables.versions.c

WITH_FLOW = select(
    tables.versions, FLOWS.name.label("flow_name"), FLOWS.priority.label("flow_priority"), FLOWS.company_id
).join(tables.flows, FLOWS.id == VERSIONS.flow_id)
_ONE = WITH_FLOW.where(VERSIONS.id == bindparam("version_id"), FLOWS.company_id == bindparam("company_id"))


def load_flow(connection: Connection, actor: Actor, id: int, *, lock: bool = False) -> Row[Any]:
    """A flow's row; with `lock`, no other transaction changes it or its versions meanwhile. Raises Missing."""
    statement = select(tables.flows).where(FLOWS.id == id, FLOWS.company_id == actor.company_id)
    row = connection.execute(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        raise errors.Missing("Flow", id)
    return row


def load_version(connection: Connection, actor: Actor, id: int, *, flow_id: int | None = None) -> Row[Any]:
    """A version's row with its flow's name, priority and company. Raises Missing."""
    row = connection.execute(_ONE, {"version_id": id, "company_id": actor.company_id}).one_or_none()
    if row is None or flow_id not in (None, row.flow_id):
        raise errors.Missing("Version", id)
    return row


def lock_version(connection: Connection, actor: Actor, id: int, *, flow_id: int | None = None) -> Row[Any]:
    """The same, with the flow locked, so that no other transaction changes any of its versions meanwhile."""
    row = load_version(connection, actor, id, flow_id=flow_id)
    load_flow(connection, actor, row.flow_id, lock=True)
    return load_version(connection, actor, id, flow_id=flow_id)


def edit_draft(connection: Connection, actor: Actor, id: int, if_match: str | None = None) -> graph.Graph:
    """The graph of a Draft, locked for editing. Raises Missing, VersionLocked, Conflict on a stale `if_match`."""
    row = lock_version(connection, actor, id)
    version.require_editable(row.iteration, row.status)
    require_match(row, if_match)
    return definitions.load_graph(connection, id)


def note_save(connection: Connection, actor: Actor, id: int) -> None:
    """Note that a Draft's graph or variables were saved: hash, counts, who, when and a new revision."""
    changed = {
        **contents(definitions.define(connection, id)),
        "revision": VERSIONS.revision + 1,
        "saved_at": actor.at,
        "saved_by": actor.user_id,
        "updated_at": actor.at,
    }
    connection.execute(update(tables.versions).where(VERSIONS.id == id).values(changed))


def contents(definition: graph.Definition) -> dict[str, Any]:
    """What a version's row says of its definition."""
    return {
        "content_hash": version.content_hash(definition),
        "steps_count": len(definition.steps),
        "has_callback_step": any(step.microservice == graph.CALLBACK for step in definition.steps),
    }


def version_view(row: Row[Any]) -> dict[str, Any]:
    """A version as the API shows it."""
    return views.present(
        {
            "id": row.id,
            "flow_id": row.flow_id,
            "flow_name": row.flow_name,
            "flow_priority": row.flow_priority,
            "iteration": row.iteration,
            "status": row.status,
            "is_deployed": row.status == version.Status.DEPLOYED,
            "is_editable": row.status == version.Status.DRAFT,
            "deployed_at": views.instant(row.deployed_at),
            "deployed_by": row.deployed_by,
            "saved_at": views.instant(row.saved_at),
            "saved_by": row.saved_by,
            "has_callback_step": row.has_callback_step,
            "steps_count": row.steps_count,
            "content_hash": row.content_hash,
            "label": row.label,
            "message": row.message,
            "created_at": views.instant(row.created_at),
            "updated_at": views.instant(row.updated_at),
        }
    )


def etag(row: Row[Any]) -> str:
    """Names one saved state of a version."""
    return f'"{row.id}-{row.revision}"'


def require_match(row: Row[Any], if_match: str | None) -> None:
    """Raise Conflict when the caller edits another state than the saved one; `if_match` is a list of ETags, or `*`."""
    tags = () if if_match is None else [tag.strip() for tag in if_match.split(",")]
    if tags and "*" not in tags and etag(row) not in tags:
        raise errors.Conflict(
            f"Version {row.iteration} was changed meanwhile; load its graph again and repeat the edit."
        )
