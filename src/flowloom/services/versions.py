"""Versions of a flow: list, read, create, copy, delete. Deploying and undeploying is in `releases`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, or_, select, update

from flowloom import errors
from flowloom.domain import graph, version
from flowloom.services import owned, related, schedules
from flowloom.services.actor import Actor
from flowloom.store import definitions, query, tables

FLOWS, VERSIONS = tables.flows.c, tables.versions.c

LISTING = query.Listing(
    select=owned.WITH_FLOW.where(
        VERSIONS.flow_id == bindparam("flow_id"), FLOWS.company_id == bindparam("company_id")
    ),
    id=VERSIONS.id,
    sorts={"created_at": VERSIONS.created_at},
    includes=related.INCLUDES,
)
_OTHERS = tables.versions.alias()
_NEWEST = select(func.max(_OTHERS.c.iteration)).where(_OTHERS.c.flow_id == VERSIONS.flow_id)
# A flow may have thousands of versions; these are what it stands at.
_STANDING = or_(
    VERSIONS.status.in_((version.Status.DRAFT, version.Status.DEPLOYED)),
    VERSIONS.iteration == _NEWEST.scalar_subquery(),
)
FIRST_STEP = graph.StepDefinition(key="trigger", microservice=graph.TRIGGER, name="Trigger", config={})


def page(
    connection: Connection, actor: Actor, flow_id: int, asked: query.Page
) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of a flow's versions. Raises Missing."""
    found = query.fetch(connection, LISTING, asked, flow_id=flow_id, company_id=actor.company_id)
    if not found.rows:
        owned.load_flow(connection, actor, flow_id)
    return found, related.add(connection, [owned.version_view(row) for row in found.rows], asked.includes)


def get(
    connection: Connection, actor: Actor, flow_id: int, id: int, includes: Iterable[str] = ()
) -> dict[str, Any]:
    """One version of a flow. Raises Missing, also for a version of another flow."""
    item = owned.version_view(owned.load_version(connection, actor, id, flow_id=flow_id))
    return related.add(connection, [item], frozenset(includes))[0]


def of_flows(
    connection: Connection, flow_ids: Sequence[int], *, only_standing: bool = False
) -> dict[int, list[dict[str, Any]]]:
    """The versions of these flows, by flow and iteration: all, or the newest, the Draft and the Deployed one."""
    asked = owned.WITH_FLOW.where(VERSIONS.flow_id.in_(flow_ids)).order_by(VERSIONS.iteration)
    rows = connection.execute(asked.where(_STANDING) if only_standing else asked)
    by_flow: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        by_flow.setdefault(row.flow_id, []).append(owned.version_view(row))
    return by_flow


def create(connection: Connection, actor: Actor, flow_id: int) -> dict[str, Any]:
    """An empty Draft. Raises Missing, or Invalid on `flow` when there is a Draft."""
    owned.load_flow(connection, actor, flow_id, lock=True)
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
    secrets: Mapping[str, Any] | None = None,
) -> int:
    """A Draft with this definition, or with its trigger step only; its id. The flow is locked and has no Draft.

    `secrets` are those of the definition, as they are kept.
    """
    definition = definition or graph.Definition(steps=[FIRST_STEP], routes=[], variables={})
    version_id = _insert(connection, actor, flow_id, definition, secrets or {}, message)
    definitions.write(connection, version_id, definition, actor.at)
    return version_id


def _insert(
    connection: Connection,
    actor: Actor,
    flow_id: int,
    definition: graph.Definition,
    secrets: Mapping[str, Any],
    message: str | None,
) -> int:
    row = {
        "flow_id": flow_id,
        "iteration": _next_iteration(connection, flow_id),
        "status": version.Status.DRAFT,
        "revision": 1,
        "variables": definition.variables,
        "secrets": secrets,
        "message": message,
        "saved_at": actor.at,
        "saved_by": actor.user_id,
        "created_at": actor.at,
        "updated_at": actor.at,
        **owned.contents(definition),
    }
    return int(connection.execute(insert(tables.versions).values(row).returning(VERSIONS.id)).scalar_one())


def _next_iteration(connection: Connection, flow_id: int) -> int:
    """A number that no version of the flow ever had."""
    counted = update(tables.flows).where(FLOWS.id == flow_id).values(last_iteration=FLOWS.last_iteration + 1)
    return int(connection.execute(counted.returning(FLOWS.last_iteration)).scalar_one())


def _draft_of(connection: Connection, flow_id: int) -> Row[Any] | None:
    draft = select(tables.versions).where(
        VERSIONS.flow_id == flow_id, VERSIONS.status == version.Status.DRAFT
    )
    return connection.execute(draft).one_or_none()


def copy(
    connection: Connection, actor: Actor, flow_id: int, id: int, if_match: str | None = None
) -> dict[str, Any]:
    """A Deployed or Inactive version as the flow's new Draft, in place of the one there is.

    Raises Missing, Invalid, and Conflict when the Draft is not in the state that `if_match` names.
    """
    source = owned.lock_version(connection, actor, id, flow_id=flow_id)
    version.require_copyable(source.iteration, source.status)
    draft = _draft_of(connection, flow_id)
    if draft is not None:
        owned.require_match(draft, if_match)
        connection.execute(delete(tables.versions).where(VERSIONS.id == draft.id))
    elif if_match is not None and if_match != "*":
        raise errors.Conflict("The Draft to be replaced is gone; load the flow's versions again, then copy.")
    definition = definitions.define(connection, id)
    message = f"Copy of version {source.iteration}"
    copied_id = create_draft(connection, actor, flow_id, definition, message, source.secrets)
    schedules.copy(connection, id, copied_id, actor.at)
    return get(connection, actor, flow_id, copied_id)


def remove(connection: Connection, actor: Actor, flow_id: int, id: int, if_match: str | None = None) -> int:
    """Delete a Draft or Inactive version; its iteration. Runs and metrics stay. Raises Missing, Forbidden, Conflict."""
    row = owned.lock_version(connection, actor, id, flow_id=flow_id)
    version.require_deletable(row.iteration, row.status)
    owned.require_match(row, if_match)
    connection.execute(delete(tables.versions).where(VERSIONS.id == id))
    return int(row.iteration)
