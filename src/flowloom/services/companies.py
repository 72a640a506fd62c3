"""Companies: what one is called and how many of its runs go on at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select, update

from flowloom.services import views
from flowloom.services.actor import Actor
from flowloom.store import tables

COMPANIES = tables.companies.c


def get(connection: Connection, actor: Actor) -> dict[str, Any]:
    """The caller's company."""
    row = connection.execute(select(tables.companies).where(COMPANIES.id == actor.company_id)).one()
    return {
        "id": row.id,
        "name": row.name,
        "concurrency": row.concurrency,
        "created_at": views.instant(row.created_at),
        "updated_at": views.instant(row.updated_at),
    }


def change(connection: Connection, actor: Actor, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Change what `fields` names of {name, concurrency (0: as the server's settings say)}."""
    if fields:
        changed = update(tables.companies).where(COMPANIES.id == actor.company_id)
        connection.execute(changed.values(**fields, updated_at=actor.at))
    return get(connection, actor)
