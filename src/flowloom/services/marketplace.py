"""The company's private marketplace: Deployed versions kept as apps, and flows made of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from flowloom import errors
from flowloom.domain import version
from flowloom.services import exchange, owned, views
from flowloom.services.actor import Actor, Role
from flowloom.store import query, tables

APPS, APP_VERSIONS = tables.marketplace_apps.c, tables.marketplace_app_versions.c

LISTING = query.Listing(
    select=select(tables.marketplace_apps).where(APPS.company_id == bindparam("company_id")),
    id=APPS.id,
    sorts={name: APPS[name] for name in ("name", "created_at", "updated_at")},
    filters={"flow_id": query.Filter(APPS.flow_id, "id"), "search": query.part_of(APPS.name)},
)


def page(connection: Connection, actor: Actor, asked: query.Page) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of the company's apps."""
    found = query.fetch(connection, LISTING, asked, company_id=actor.company_id)
    return found, [view(row) for row in found.rows]


def get(connection: Connection, actor: Actor, id: int) -> dict[str, Any]:
    """One app with its versions, the newest first. Raises Missing."""
    app = load(connection, actor, id)
    uploaded = (
        select(
            APP_VERSIONS.version, APP_VERSIONS.iteration, APP_VERSIONS.uploaded_by, APP_VERSIONS.created_at
        )
        .where(APP_VERSIONS.marketplace_app_id == id)
        .order_by(APP_VERSIONS.version.desc())
    )
    rows = connection.execute(uploaded)
    return {
        **view(app),
        "versions": [{**row._mapping, "created_at": views.instant(row.created_at)} for row in rows],
    }


def load(connection: Connection, actor: Actor, id: int) -> Row[Any]:
    """An app's row. Raises Missing."""
    own = (APPS.id == id, APPS.company_id == actor.company_id)
    row = connection.execute(select(tables.marketplace_apps).where(*own)).one_or_none()
    if row is None:
        raise errors.Missing("Marketplace app", id)
    return row


def upload(connection: Connection, actor: Actor, version_id: int, private: object = True) -> dict[str, Any]:
    """Keep a Deployed version as its flow's app, or as the next version of it.

    Raises Forbidden for an API key, Missing, and Invalid on `private` or `version`.
    """
    if actor.is_key or actor.user_id is None:
        raise errors.Forbidden(
            "An API key cannot upload; log in as an administrator and send the bearer token."
        )
    actor.require(Role.ADMINISTRATOR)
    source = owned.lock_version(connection, actor, version_id)
    _require_private(private)
    if source.status != version.Status.DEPLOYED:
        raise errors.Invalid.field(
            "version", f"Version {source.iteration} is {source.status}; deploy it, then upload it."
        )
    app = _next_app_version(connection, actor, source)
    row = {
        "marketplace_app_id": app.id,
        "version": app.latest_version,
        "iteration": source.iteration,
        "document": exchange.export_flow(connection, actor, source.flow_id, version_id),
        "uploaded_by": actor.user_id,
        "created_at": actor.at,
    }
    connection.execute(insert(tables.marketplace_app_versions).values(row))
    return {
        "marketplace_app_id": app.id,
        "version": app.latest_version,
        "private": True,
        "flow_id": source.flow_id,
        "flow_version_id": version_id,
        "iteration": source.iteration,
        "name": app.name,
        "created_at": views.instant(actor.at),
    }


def _require_private(value: object) -> None:
    if value is True or value in ("true", "1"):
        return
    if value is False or value in ("false", "0"):
        raise errors.Invalid.field(
            "private", "Apps are private to your company here; leave private out or true."
        )
    raise errors.Invalid.field("private", 'private takes "true", "false", "1" or "0".')


def _next_app_version(connection: Connection, actor: Actor, source: Row[Any]) -> Row[Any]:
    """The app of a locked flow, made or counted up by one version."""
    flow = owned.load_flow(connection, actor, source.flow_id)
    fields = {"name": flow.name, "description": flow.description, "updated_at": actor.at}
    counted_up = (
        update(tables.marketplace_apps)
        .where(APPS.company_id == actor.company_id, APPS.flow_id == flow.id)
        .values(**fields, latest_version=APPS.latest_version + 1)
        .returning(tables.marketplace_apps)
    )
    found = connection.execute(counted_up).one_or_none()
    if found is not None:
        return found
    first = {"company_id": actor.company_id, "flow_id": flow.id, "latest_version": 1, "created_at": actor.at}
    made = insert(tables.marketplace_apps).values({**fields, **first})
    return connection.execute(made.returning(tables.marketplace_apps)).one()


def install(
    connection: Connection, actor: Actor, id: int, name: str | None = None, number: int | None = None
) -> dict[str, Any]:
    """Make a disabled flow with a Draft of an app's newest version, or of the one asked for; the flow.

    Raises Missing, and Invalid for a version that the app does not have.
    """
    app = load(connection, actor, id)
    chosen = select(APP_VERSIONS.document).where(
        APP_VERSIONS.marketplace_app_id == id, APP_VERSIONS.version == (number or app.latest_version)
    )
    document = connection.scalar(chosen)
    if document is None:
        raise errors.Invalid.field("version", f"{app.name} has the versions 1 to {app.latest_version}.")
    return exchange.import_flow(connection, actor, document, name)


def view(row: Row[Any]) -> dict[str, Any]:
    """An app as the API shows it."""
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "flow_id": row.flow_id,
        "latest_version": row.latest_version,
        "private": True,
        "created_at": views.instant(row.created_at),
        "updated_at": views.instant(row.updated_at),
    }
