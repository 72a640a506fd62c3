"""Exchanges: what the connectors of a run asked their systems, and what these answered."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from flowloom.services import runs, views
from flowloom.services.actor import Actor
from flowloom.store import query, tables

EXCHANGES = tables.exchanges.c

LISTING = query.Listing(
    select=select(tables.exchanges).where(EXCHANGES.run_id == bindparam("run_id")),
    id=EXCHANGES.id,
    filters={
        "step_key": query.Filter(EXCHANGES.step_key, "text"),
        "position": query.Filter(EXCHANGES.position, "text", help="Positions of payloads"),
    },
    is_capped=True,
)


def page(
    connection: Connection, actor: Actor, run_id: int, asked: query.Page
) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of a run's exchanges, in the order they were kept. Raises Missing."""
    runs.load(connection, actor, run_id)
    found = query.fetch(connection, LISTING, asked, run_id=run_id)
    return found, [view(row) for row in found.rows]


def view(row: Row[Any]) -> dict[str, Any]:
    """An exchange as the API shows it; its secrets were left out before it was kept."""
    return views.present(
        {
            "id": row.id,
            "flow_run_id": row.run_id,
            "step_key": row.step_key,
            "position": row.position,
            "request": row.request,
            "response": row.response,
            "error": row.error,
            "duration_ms": row.duration_ms,
            "created_at": views.instant(row.created_at),
        }
    )
