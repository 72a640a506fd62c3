"""Cache entries, as people look at what flows keep; large values are shown one at a time."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, Select, bindparam, case, delete, func, or_, select

from flowloom import errors
from flowloom.services import views
from flowloom.services.actor import Actor
from flowloom.store import columns, query, tables

ENTRIES = tables.cache_entries.c
# The values of a list's entries are shown up to this size.
SHOWN_BYTES: Final = 4096
_SIZE = func.length(ENTRIES.value)
_ALIVE = (
    ENTRIES.company_id == bindparam("company_id"),
    or_(ENTRIES.expires_at.is_(None), ENTRIES.expires_at > bindparam("now", type_=columns.Instant)),
)
_OTHERS = [column for column in ENTRIES if column.name != "value"]

LISTING = query.Listing(
    select=select(
        *_OTHERS, _SIZE.label("bytes"), case((_SIZE <= SHOWN_BYTES, ENTRIES.value)).label("value")
    ).where(*_ALIVE),
    id=ENTRIES.id,
    sorts={name: ENTRIES[name] for name in ("key", "created_at", "updated_at")},
    filters={
        "scope": query.Filter(
            ENTRIES.scope,
            "text",
            help="company, flow:<id> or run:<id>, with commas between for either",
            pattern=r"company|(flow|run):\d{1,19}",
        ),
        "key": query.Filter(ENTRIES.key, "text", help="Exact keys, with commas between"),
    },
    is_capped=True,
)


def page(connection: Connection, actor: Actor, asked: query.Page) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of the company's cache entries that have not expired."""
    found = query.fetch(connection, LISTING, asked, company_id=actor.company_id, now=actor.at)
    return found, [view(row) for row in found.rows]


def get(connection: Connection, actor: Actor, id: int) -> dict[str, Any]:
    """One cache entry with its value. Raises Missing, also when it has expired."""
    found: Select[Any] = select(*_OTHERS, _SIZE.label("bytes"), ENTRIES.value).where(
        *_ALIVE, ENTRIES.id == id
    )
    asked = {"company_id": actor.company_id, "now": actor.at}
    row = connection.execute(found, asked).one_or_none()
    if row is None:
        raise errors.Missing("Cache entry", id)
    return view(row)


def remove(connection: Connection, actor: Actor, id: int) -> None:
    """Delete a cache entry. Raises Missing."""
    own = (ENTRIES.id == id, ENTRIES.company_id == actor.company_id)
    if not connection.execute(delete(tables.cache_entries).where(*own)).rowcount:
        raise errors.Missing("Cache entry", id)


def view(row: Row[Any]) -> dict[str, Any]:
    """A cache entry as the API shows it; without its value where that was not read."""
    return {
        **views.present(
            {
                "id": row.id,
                "scope": row.scope,
                "key": row.key,
                "bytes": row.bytes,
                "expires_at": views.instant(row.expires_at),
                "created_at": views.instant(row.created_at),
                "updated_at": views.instant(row.updated_at),
            }
        ),
        **({} if row.value is None else {"value": msgspec.json.decode(row.value)}),
    }
