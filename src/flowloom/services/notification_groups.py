"""Notification groups: who is told, over which channels."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from flowloom import errors
from flowloom.services import channels, in_use, notifications, views
from flowloom.services.actor import Actor
from flowloom.store import alerts, outbox, query, tables
from flowloom.store.secrets import Vault

GROUPS = tables.notification_groups.c
NOUN: Final = "Notification group"

LISTING = query.Listing(
    select=select(tables.notification_groups).where(GROUPS.company_id == bindparam("company_id")),
    id=GROUPS.id,
    sorts={name: GROUPS[name] for name in ("name", "created_at", "updated_at")},
    filters={
        "id": query.Filter(GROUPS.id, "id"),
        "name": query.Filter(GROUPS.name, "text", help="Exact names, with commas between"),
        "search": query.part_of(GROUPS.name),
    },
)


def page(connection: Connection, actor: Actor, asked: query.Page) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of the company's notification groups."""
    found = query.fetch(connection, LISTING, asked, company_id=actor.company_id)
    return found, [view(row) for row in found.rows]


def get(connection: Connection, actor: Actor, id: int) -> dict[str, Any]:
    """One notification group. Raises Missing."""
    return view(load(connection, actor, id))


def load(connection: Connection, actor: Actor, id: int, *, lock: bool = False) -> Row[Any]:
    """A notification group's row. Raises Missing."""
    own = (GROUPS.id == id, GROUPS.company_id == actor.company_id)
    statement = select(tables.notification_groups).where(*own)
    row = connection.execute(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        raise errors.Missing(NOUN, id)
    return row


def require(connection: Connection, actor: Actor, id: int, field: str) -> None:
    """Raise Invalid on `field` when there is no such group of the company."""
    own = select(GROUPS.id).where(GROUPS.id == id, GROUPS.company_id == actor.company_id)
    if connection.scalar(own) is None:
        raise errors.Invalid.field(field, f"{NOUN} {id} was not found; choose one of yours.")


def create(connection: Connection, actor: Actor, vault: Vault, fields: Mapping[str, Any]) -> dict[str, Any]:
    """A group of {name, channels: [{type, to | url, secrets?}]}. Raises Invalid."""
    row = {
        "company_id": actor.company_id,
        "name": fields["name"],
        "channels": channels.kept(vault, actor, fields["channels"], ()),
        "created_at": actor.at,
        "updated_at": actor.at,
    }
    made = insert(tables.notification_groups).values(row).returning(tables.notification_groups)
    return view(connection.execute(made).one())


def change(
    connection: Connection, actor: Actor, vault: Vault, id: int, fields: Mapping[str, Any]
) -> dict[str, Any]:
    """Change a group's name, or its channels as a whole. Raises Missing, Invalid."""
    row, values = load(connection, actor, id, lock=True), dict(fields)
    if "channels" in fields:
        values["channels"] = channels.kept(vault, actor, fields["channels"], row.channels)
    if values:
        changed = update(tables.notification_groups).where(GROUPS.id == id)
        connection.execute(changed.values(**values, updated_at=actor.at))
    return get(connection, actor, id)


def remove(connection: Connection, actor: Actor, id: int) -> None:
    """Delete a group. Raises Missing, or Invalid while a Deployed version or a flow's alerts name it."""
    load(connection, actor, id, lock=True)
    user = _user_of(connection, actor, id)
    if user is not None:
        raise errors.Invalid.field(
            "notification_group", f"{NOUN} {id} is used by {user}; let it use another one first."
        )
    connection.execute(delete(tables.notification_groups).where(GROUPS.id == id))


def _user_of(connection: Connection, actor: Actor, id: int) -> str | None:
    """What tells this group: the alerts of a flow, or a notify step of a Deployed version."""
    for flow in alerts.flows_of_group(connection, actor.company_id, id):
        return f'the alerts of flow {flow.id} "{flow.name}"'
    user = in_use.find_by_id(connection, actor, "group_id", id)
    return None if user is None else f"the Deployed {user}"


def test(connection: Connection, actor: Actor, id: int) -> list[dict[str, Any]]:
    """Queue a message that says it is a test; what is now to be delivered. Raises Missing."""
    row = load(connection, actor, id)
    message = outbox.Message(
        company_id=actor.company_id,
        subject=f'Test of the notification group "{row.name}"',
        text="Somebody asked Flowloom to send this, to see whether it arrives.",
        once_key=f"test {id} {secrets.token_hex(16)}",
    )
    outbox.tell(connection, message, group_id=id, at=actor.at)
    return notifications.of_key(connection, message.once_key)


def view(row: Row[Any]) -> dict[str, Any]:
    """A group as the API shows it."""
    return {
        "id": row.id,
        "name": row.name,
        "channels": [channels.view(channel) for channel in row.channels],
        "created_at": views.instant(row.created_at),
        "updated_at": views.instant(row.updated_at),
    }
