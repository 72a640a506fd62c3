"""Versions of a flow: list, read, create, copy, delete. Deploying and undeploying is in `releases`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from flowloom import errors
from flowloom.domain import graph, version
from flowloom.services import flows, related, schedules, views
from flowloom.services.actor import Actor
from flowloom.store import definitions, query, tables

FLOWS, VERSIONS = tables.flows.c, tables.versions.c

_JOINED = select(
    tables.versions, FLOWS.name.label("flow_name"), FLOWS.priority.label("flow_priority"), FLOWS.company_id
).join(tables.flows, FLOWS.id == VERSIONS.flow_id)

LISTING = query.Listing(
    select=_JOINED.where(
        VERSIONS.flow_id == bindparam("flow_id"), FLOWS.company_id == bindparam("company_id")
    ),
    id=VERSIONS.id,
    sorts={"created_at": VERSIONS.created_at},
    includes=related.INCLUDES,
)
_ONE = _JOINED.where(VERSIONS.id == bindparam("version_id"), FLOWS.company_id == bindparam("company_id"))
FIRST_STEP = graph.StepDefinition(key="trigger", microservice=graph.TRIGGER, name="Trigger", config={})


def page(
    connection: Connection, actor: Actor, flow_id: int, asked: query.Page
) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of a flow's versions. Raises Missing."""
    found = query.fetch(connection, LISTING, asked, flow_id=flow_id, company_id=actor.company_id)
    if not found.rows:
        flows.load(connection, actor, flow_id)
    return found, related.add(connection, [view(row) for row in found.rows], asked.includes)


def get(
    connection: Connection, actor: Actor, flow_id: int, id: int, includes: Iterable[str] = ()
) -> dict[str, Any]:
    """One version of a flow. Raises Missing, also for a version of another flow."""
    item = view(load(connection, actor, id, flow_id=flow_id))
    return related.add(connection, [item], frozenset(includes))[0]


def load(connection: Connection, actor: Actor, id: int, *, flow_id: int | None = None) -> Row[Any]:
    """A version's row with its flow's name, priority and company. Raises Missing."""
    row = connection.execute(_ONE, {"version_id": id, "company_id": actor.company_id}).one_or_none()
    if row is None or flow_id not in (None, row.flow_id):
        raise errors.Missing("Version", id)
    return row


def lock(connection: Connection, actor: Actor, id: int, *, flow_id: int | None = None) -> Row[Any]:
    """The same, with the flow locked, so that no other transaction changes any of its versions meanwhile."""
    row = load(connection, actor, id, flow_id=flow_id)
    flows.load(connection, actor, row.flow_id, lock=True)
    return load(connection, actor, id, flow_id=flow_id)


def edit(connection: Connection, actor: Actor, id: int, if_match: str | None = None) -> graph.Graph:
    """The graph of a Draft, locked for editing. Raises Missing, VersionLocked, Conflict on a stale `if_match`."""
    row = lock(connection, actor, id)
    version.require_editable(row.iteration, row.status)
    require_match(row, if_match)
    return definitions.load_graph(connection, id)


def of_flows(connection: Connection, flow_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """All versions of these flows, by flow, in order of iteration."""
    rows = connection.execute(_JOINED.where(VERSIONS.flow_id.in_(flow_ids)).order_by(VERSIONS.iteration))
    by_flow: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        by_flow.setdefault(row.flow_id, []).append(view(row))
    return by_flow


def create(connection: Connection, actor: Actor, flow_id: int) -> dict[str, Any]:
    """An empty Draft. Raises Missing, or Invalid on `flow` when there is a Draft."""
    flows.load(connection, actor, flow_id, lock=True)
    draft = _draft_of(connection, flow_id)
    if draft is not None:
        raise errors.Invalid.field(
            "flow", f"Version {draft.iteration} of this flow is a Draft already; edit or delete it."
        )
    return get(connection, actor, flow_id, create_draft(connection, actor, flow_id))


def create_draft(
    connection: Connection,
    actor: Actor,
    flow_id: int,
    definition: graph.Definition | None = None,
    message: str | None = None,
) -> int:
    """A Draft with this definition, or with its trigger step only; its id. The flow is locked and has no Draft."""
    definition = definition or graph.Definition(steps=[FIRST_STEP], routes=[], variables={})
    version_id = _insert(connection, actor, flow_id, definition, message)
    definitions.write(connection, version_id, definition, actor.at)
    return version_id


def _insert(
    connection: Connection, actor: Actor, flow_id: int, definition: graph.Definition, message: str | None
) -> int:
    row = {
        "flow_id": flow_id,
        "iteration": _next_iteration(connection, flow_id),
        "status": version.Status.DRAFT,
        "revision": 1,
        "variables": definition.variables,
        "message": message,
        "saved_at": actor.at,
        "saved_by": actor.user_id,
        "created_at": actor.at,
        "updated_at": actor.at,
        **contents(definition),
    }
    return int(connection.execute(insert(tables.versions).values(row).returning(VERSIONS.id)).scalar_one())


def contents(definition: graph.Definition) -> dict[str, Any]:
    """What a version's row says of its definition."""
    return {
        "content_hash": version.content_hash(definition),
        "steps_count": len(definition.steps),
        "has_callback_step": any(step.microservice == graph.CALLBACK for step in definition.steps),
    }


def _next_iteration(connection: Connection, flow_id: int) -> int:
    """A number that no version of the flow ever had."""
    counted = update(tables.flows).where(FLOWS.id == flow_id).values(last_iteration=FLOWS.last_iteration + 1)
    return int(connection.execute(counted.returning(FLOWS.last_iteration)).scalar_one())


def _draft_of(connection: Connection, flow_id: int) -> Row[Any] | None:
    draft = select(tables.versions).where(
        VERSIONS.flow_id == flow_id, VERSIONS.status == version.Status.DRAFT
    )
    return connection.execute(draft).one_or_none()


def copy(connection: Connection, actor: Actor, flow_id: int, id: int) -> dict[str, Any]:
    """A Deployed or Inactive version as the flow's new Draft, in place of the one there is. Raises Missing, Invalid."""
    source = lock(connection, actor, id, flow_id=flow_id)
    version.require_copyable(source.iteration, source.status)
    draft = _draft_of(connection, flow_id)
    if draft is not None:
        connection.execute(delete(tables.versions).where(VERSIONS.id == draft.id))
    definition = definitions.define(connection, id)
    copied_id = create_draft(connection, actor, flow_id, definition, f"Copy of version {source.iteration}")
    schedules.copy(connection, id, copied_id, actor.at)
    return get(connection, actor, flow_id, copied_id)


def remove(connection: Connection, actor: Actor, flow_id: int, id: int) -> int:
    """Delete a Draft or Inactive version; its iteration. Runs and metrics stay. Raises Missing, Forbidden."""
    row = lock(connection, actor, id, flow_id=flow_id)
    version.require_deletable(row.iteration, row.status)
    connection.execute(delete(tables.versions).where(VERSIONS.id == id))
    return int(row.iteration)


def saved(connection: Connection, actor: Actor, id: int) -> None:
    """Note that a Draft's graph or variables were saved: hash, counts, who, when and a new revision."""
    changed = {
        **contents(definitions.define(connection, id)),
        "revision": VERSIONS.revision + 1,
        "saved_at": actor.at,
        "saved_by": actor.user_id,
        "updated_at": actor.at,
    }
    connection.execute(update(tables.versions).where(VERSIONS.id == id).values(changed))


def view(row: Row[Any]) -> dict[str, Any]:
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
    """Raise Conflict when the caller edits another state than the saved one."""
    if if_match is not None and if_match.strip() not in ("*", etag(row)):
        raise errors.Conflict(
            f"Version {row.iteration} was changed meanwhile; load its graph again and repeat the edit."
        )
