"""Connectors: systems that are described once, for the connections and steps that use them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from flowloom import errors
from flowloom.engine.circuits import Circuits
from flowloom.services import connections, described, views
from flowloom.services.actor import Actor
from flowloom.store import query, tables
from flowloom.store.secrets import Vault

CONNECTORS, CONNECTIONS = tables.connectors.c, tables.connections.c
# Without the document, which may be large.
_SUMMARY = [
    CONNECTORS[name] for name in ("id", "name", "description", "endpoints_count", "created_at", "updated_at")
]

LISTING = query.Listing(
    select=select(*_SUMMARY).where(CONNECTORS.company_id == bindparam("company_id")),
    id=CONNECTORS.id,
    sorts={name: CONNECTORS[name] for name in ("name", "endpoints_count", "created_at", "updated_at")},
    filters={
        "id": query.Filter(CONNECTORS.id, "id"),
        "name": query.Filter(CONNECTORS.name, "text", help="Exact names, with commas between"),
        "search": query.part_of(CONNECTORS.name),
    },
)


def page(connection: Connection, actor: Actor, asked: query.Page) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of the company's connectors, without their documents."""
    found = query.fetch(connection, LISTING, asked, company_id=actor.company_id)
    return found, [summary(row) for row in found.rows]


def get(connection: Connection, actor: Actor, id: int) -> dict[str, Any]:
    """One connector with its document. Raises Missing."""
    return view(_load(connection, actor, id))


def _load(connection: Connection, actor: Actor, id: int, *, lock: bool = False) -> Row[Any]:
    own = (CONNECTORS.id == id, CONNECTORS.company_id == actor.company_id)
    statement = select(tables.connectors).where(*own)
    row = connection.execute(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        raise errors.Missing("Connector", id)
    return row


def create(connection: Connection, actor: Actor, fields: Mapping[str, Any]) -> dict[str, Any]:
    """A connector of {name, description, document}; the document as connector_documents.kept gives it."""
    row = {
        "company_id": actor.company_id,
        **fields,
        "endpoints_count": len(fields["document"]["endpoints"]),
        "created_at": actor.at,
        "updated_at": actor.at,
    }
    return view(connection.execute(insert(tables.connectors).values(row).returning(tables.connectors)).one())


def change(
    connection: Connection,
    actor: Actor,
    states: Circuits,
    vault: Vault,
    id: int,
    fields: Mapping[str, Any],
) -> dict[str, Any]:
    """Change some of a connector's fields; the connections that use it follow, no step does.

    Raises Missing, and Invalid where a connection cannot follow: its secret would serve another kind or other hosts.
    """
    row = _load(connection, actor, id, lock=True)
    values = dict(fields)
    users: Sequence[Row[Any]] = ()
    if "document" in fields:
        values["endpoints_count"] = len(fields["document"]["endpoints"])
        users = _users(connection, actor, id)
    before = [described.own(row.document, connections.fields_of(user)) for user in users]
    connection.execute(
        update(tables.connectors).where(CONNECTORS.id == id).values(**values, updated_at=actor.at)
    )
    for user, own in zip(users, before, strict=True):
        _follow(connection, actor, states, vault, user, own)
    return get(connection, actor, id)


def _follow(
    connection: Connection,
    actor: Actor,
    states: Circuits,
    vault: Vault,
    user: Row[Any],
    own: Mapping[str, Any],
) -> None:
    try:
        connections.change(connection, actor, states, vault, user.id, own)
    except errors.Invalid as invalid:
        message = (
            f'Connection {user.id} "{user.name}" uses this connector and cannot follow: {invalid.message} '
            "Change that connection first."
        )
        raise errors.Invalid.field("document", message) from None


def remove(connection: Connection, actor: Actor, id: int) -> None:
    """Delete a connector. Raises Missing, or Invalid while a connection uses it."""
    _load(connection, actor, id, lock=True)
    for user in _users(connection, actor, id):
        raise errors.Invalid.field(
            "connector",
            f'Connector {id} is used by connection {user.id} "{user.name}"; delete it or take its connector away.',
        )
    connection.execute(delete(tables.connectors).where(CONNECTORS.id == id))


def _users(connection: Connection, actor: Actor, id: int) -> Sequence[Row[Any]]:
    """The connections with this connector."""
    own = (CONNECTIONS.connector_id == id, CONNECTIONS.company_id == actor.company_id)
    return connection.execute(select(tables.connections).where(*own).order_by(CONNECTIONS.id)).all()


def summary(row: Row[Any]) -> dict[str, Any]:
    """A connector as lists show it."""
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "endpoints_count": row.endpoints_count,
        "created_at": views.instant(row.created_at),
        "updated_at": views.instant(row.updated_at),
    }


def view(row: Row[Any]) -> dict[str, Any]:
    """A connector as the API shows it."""
    return {**summary(row), "document": row.document}
