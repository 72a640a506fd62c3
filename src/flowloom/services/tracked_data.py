"""Tracked data: which runs saw an entity, and in which direction it went."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from flowloom.services import views
from flowloom.services.actor import Actor
from flowloom.store import query, tables

TRACKED = tables.tracked.c

LISTING = query.Listing(
    select=select(tables.tracked).where(TRACKED.company_id == bindparam("company_id")),
    id=TRACKED.id,
    filters={
        "entity_type": query.Filter(TRACKED.entity_type, "text", help="Exact types, with commas between"),
        "value": query.Filter(TRACKED.value, "text", help="Exact values, with commas between"),
        "direction": query.Filter(TRACKED.direction, "choice", choices={"in": "in", "out": "out"}),
        "flow_id": query.Filter(TRACKED.flow_id, "id"),
        "flow_run_id": query.Filter(TRACKED.run_id, "id"),
        "created_after": query.Filter(TRACKED.created_at, "instant", "from", help="From this time on"),
        "created_before": query.Filter(TRACKED.created_at, "instant", "before", help="Before this time"),
    },
    default_sort="-id",
    is_capped=True,
)


def page(connection: Connection, actor: Actor, asked: query.Page) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of what the company's runs tracked, newest first."""
    found = query.fetch(connection, LISTING, asked, company_id=actor.company_id)
    return found, [view(row) for row in found.rows]


def view(row: Row[Any]) -> dict[str, Any]:
    """A tracked entity as the API shows it."""
    return {
        "id": row.id,
        "entity_type": row.entity_type,
        "value": row.value,
        "direction": row.direction,
        "flow_id": row.flow_id,
        "flow_version_id": row.flow_version_id,
        "flow_run_id": row.run_id,
        "step_key": row.step_key,
        "created_at": views.instant(row.created_at),
    }
