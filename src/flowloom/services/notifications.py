"""Notifications: the messages of a company, and what became of each."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, Row, bindparam, select

from flowloom.services import views
from flowloom.services.actor import Actor
from flowloom.store import outbox, query, tables

ROWS = tables.notifications.c

LISTING = query.Listing(
    select=select(tables.notifications).where(ROWS.company_id == bindparam("company_id")),
    id=ROWS.id,
    sorts={"created_at": ROWS.created_at},
    filters={
        "state": query.Filter(ROWS.state, "choice", choices={state: state for state in outbox.STATES}),
        "channel": query.Filter(
            ROWS.channel_type, "choice", choices={kind: kind for kind in outbox.CHANNEL_TYPES}
        ),
        "flow_id": query.Filter(ROWS.flow_id, "id"),
        "flow_run_id": query.Filter(ROWS.run_id, "id"),
    },
    default_sort="-id",
    is_capped=True,
)


def page(connection: Connection, actor: Actor, asked: query.Page) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of the company's notifications, newest first."""
    found = query.fetch(connection, LISTING, asked, company_id=actor.company_id)
    return found, [view(row) for row in found.rows]


def of_key(connection: Connection, once_key: str) -> list[dict[str, Any]]:
    """The notifications of one message, one for each channel."""
    prefix = ROWS.once_key.startswith(f"{once_key}/", autoescape=True)
    rows = connection.execute(select(tables.notifications).where(prefix).order_by(ROWS.id))
    return [view(row) for row in rows]


def view(row: Row[Any]) -> dict[str, Any]:
    """A notification as the API shows it; of a webhook only the host, for its path may be a secret."""
    return views.present(
        {
            "id": row.id,
            "flow_id": row.flow_id,
            "flow_run_id": row.run_id,
            "channel": row.channel_type,
            "to": _to(row.channel),
            "subject": row.subject,
            "text": row.text,
            "state": row.state,
            "attempts": row.attempts,
            "next_at": views.instant(row.next_at),
            "error": row.error,
            "created_at": views.instant(row.created_at),
            "updated_at": views.instant(row.updated_at),
        }
    )


def _to(channel: dict[str, Any]) -> list[str] | None:
    match channel["type"]:
        case "email":
            return list(channel["to"])
        case "webhook":
            return [urlsplit(channel["url"]).netloc]
        case _:
            return None
