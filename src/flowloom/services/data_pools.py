"""Data pools and the keys in them, as people look at them and fill them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, select, update

from flowloom import errors
from flowloom.services import named, views
from flowloom.services.actor import Actor
from flowloom.store import database, query, tables

POOLS, ENTRIES = tables.data_pools.c, tables.pool_entries.c
BATCH: Final = 5000
KIND = named.Kind(tables.data_pools, "Data pool", lambda compiled, name: compiled.pool == name)
LISTING = KIND.listing()
ENTRY_LISTING = query.Listing(
    select=select(tables.pool_entries).where(ENTRIES.data_pool_id == bindparam("data_pool_id")),
    id=ENTRIES.id,
    sorts={"key": ENTRIES.key, "created_at": ENTRIES.created_at},
    filters={
        "key": query.Filter(ENTRIES.key, "text", help="Exact keys, with commas between"),
        "flow_run_id": query.Filter(ENTRIES.run_id, "id", help="Claimed or released by these runs"),
    },
    is_capped=True,
)


def page(connection: Connection, actor: Actor, asked: query.Page) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of the company's data pools."""
    found = query.fetch(connection, LISTING, asked, company_id=actor.company_id)
    return found, [KIND.view(row) for row in found.rows]


def get(connection: Connection, actor: Actor, id: int) -> dict[str, Any]:
    """One data pool. Raises Missing."""
    return KIND.view(KIND.load(connection, actor, id))


def create(connection: Connection, actor: Actor, fields: Mapping[str, Any]) -> dict[str, Any]:
    """A data pool of {name, description}. Raises Invalid on `name` when it is taken."""
    return get(connection, actor, KIND.insert(connection, actor, fields))


def change(connection: Connection, actor: Actor, id: int, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Change name or description. Raises Missing; Invalid on `name` when it is taken or in use."""
    KIND.change(connection, actor, id, fields)
    return get(connection, actor, id)


def entries(
    connection: Connection, actor: Actor, id: int, asked: query.Page
) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of the keys in a pool. Raises Missing."""
    KIND.load(connection, actor, id)
    found = query.fetch(connection, ENTRY_LISTING, asked, data_pool_id=id)
    return found, [entry_view(row) for row in found.rows]


def add(connection: Connection, actor: Actor, id: int, keys: Sequence[str]) -> int:
    """Put keys into a pool for good, also those that runs have claimed; how many are new.

    Raises Missing.
    """
    KIND.load(connection, actor, id)
    times = {"data_pool_id": id, "is_released": False, "created_at": actor.at}
    wanted = sorted(set(keys))
    statement = database.insert_or_ignore(connection, tables.pool_entries).returning(ENTRIES.id)
    added = len(connection.scalars(statement, [{**times, "key": key} for key in wanted]).all())
    there = (ENTRIES.data_pool_id == id, ENTRIES.key.in_(wanted), ENTRIES.run_id.is_not(None))
    kept = update(tables.pool_entries).where(*there)
    for_good = {"run_id": None, "position": None, "owner": None, "is_released": False}
    return added + connection.execute(kept.values(for_good)).rowcount


def remove_entry(connection: Connection, actor: Actor, id: int, entry_id: int) -> None:
    """Take a key out of a pool, so that its record is new again. Raises Missing."""
    KIND.load(connection, actor, id)
    gone = delete(tables.pool_entries).where(ENTRIES.data_pool_id == id, ENTRIES.id == entry_id)
    if not connection.execute(gone).rowcount:
        raise errors.Missing("Pool entry", entry_id)


def remove_some(connection: Connection, actor: Actor, id: int, *, with_pool: bool) -> int:
    """Take a batch of keys out of a pool; how many, 0 when none is left. Raises Missing.

    With the pool itself: raises Invalid while a Deployed version names it.
    """
    if with_pool:
        KIND.require_unused(connection, actor, id)
    else:
        KIND.load(connection, actor, id)
    some = select(ENTRIES.id).where(ENTRIES.data_pool_id == id).limit(BATCH)
    return connection.execute(delete(tables.pool_entries).where(ENTRIES.id.in_(some))).rowcount


def entry_view(row: Row[Any]) -> dict[str, Any]:
    """A key of a pool as the API shows it."""
    state = "permanent" if row.run_id is None else "released" if row.is_released else "claimed"
    return views.present(
        {
            "id": row.id,
            "key": row.key,
            "state": state,
            "flow_run_id": row.run_id,
            "created_at": views.instant(row.created_at),
        }
    )
