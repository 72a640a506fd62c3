"""Lookup tables and their rows. Every change of a row gives the table another revision, by which runs know it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from flowloom import errors
from flowloom.services import named
from flowloom.services.actor import Actor
from flowloom.store import query, tables

TABLES, ROWS = tables.lookup_tables.c, tables.lookup_rows.c
MAX_ROWS: Final = 100_000
KIND = named.Kind(tables.lookup_tables, "Lookup table", lambda compiled, name: name in compiled.lookups)
LISTING = KIND.listing()
ROW_LISTING = query.Listing(
    select=select(tables.lookup_rows).where(ROWS.lookup_table_id == bindparam("lookup_table_id")),
    id=ROWS.id,
    sorts={"left": ROWS.left, "right": ROWS.right},
    filters={
        "left": query.Filter(ROWS.left, "text", help="Exact values, with commas between"),
        "right": query.Filter(ROWS.right, "text", help="Exact values, with commas between"),
    },
)


def page(connection: Connection, actor: Actor, asked: query.Page) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of the company's lookup tables."""
    found = query.fetch(connection, LISTING, asked, company_id=actor.company_id)
    return found, [KIND.view(row) for row in found.rows]


def get(connection: Connection, actor: Actor, id: int) -> dict[str, Any]:
    """One lookup table, without its rows. Raises Missing."""
    return KIND.view(KIND.load(connection, actor, id))


def create(connection: Connection, actor: Actor, fields: Mapping[str, Any]) -> dict[str, Any]:
    """An empty lookup table of {name, description}. Raises Invalid on `name` when it is taken."""
    return get(connection, actor, KIND.insert(connection, actor, fields))


def change(connection: Connection, actor: Actor, id: int, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Change name or description. Raises Missing; Invalid on `name` when it is taken or in use."""
    KIND.change(connection, actor, id, fields)
    return get(connection, actor, id)


def remove(connection: Connection, actor: Actor, id: int) -> None:
    """Delete a table with its rows. Raises Missing, or Invalid while a Deployed version reads it."""
    KIND.remove(connection, actor, id)


def rows(
    connection: Connection, actor: Actor, id: int, asked: query.Page
) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of a table's rows. Raises Missing."""
    KIND.load(connection, actor, id)
    found = query.fetch(connection, ROW_LISTING, asked, lookup_table_id=id)
    return found, [row_view(row) for row in found.rows]


def all_rows(connection: Connection, actor: Actor, id: int) -> list[tuple[str, str]]:
    """Every (left, right) of a table, in the order they were made. Raises Missing."""
    KIND.load(connection, actor, id)
    found = select(ROWS.left, ROWS.right).where(ROWS.lookup_table_id == id).order_by(ROWS.id)
    return [(left, right) for left, right in connection.execute(found)]


def add_row(connection: Connection, actor: Actor, id: int, fields: Mapping[str, str]) -> dict[str, Any]:
    """A row of {left, right}. Raises Missing; Invalid on `left` when it is there, or when the table is full."""
    _touch(connection, actor, id)
    if (connection.scalar(select(func.count()).where(ROWS.lookup_table_id == id)) or 0) >= MAX_ROWS:
        raise errors.Invalid.field("left", f"The table has {MAX_ROWS:,} rows; no more go in.")
    row = {"lookup_table_id": id, **fields}
    try:
        made = connection.execute(insert(tables.lookup_rows).values(row).returning(tables.lookup_rows))
    except IntegrityError:
        raise _taken(fields) from None
    return row_view(made.one())


def change_row(
    connection: Connection, actor: Actor, id: int, row_id: int, fields: Mapping[str, str]
) -> dict[str, Any]:
    """Change a row's left or right. Raises Missing; Invalid on `left` when it is there."""
    _touch(connection, actor, id)
    row = _row(connection, id, row_id)
    if fields:
        try:
            connection.execute(update(tables.lookup_rows).where(ROWS.id == row.id).values(**fields))
        except IntegrityError:
            raise _taken(fields) from None
    return row_view(_row(connection, id, row_id))


def remove_row(connection: Connection, actor: Actor, id: int, row_id: int) -> None:
    """Delete a row. Raises Missing."""
    _touch(connection, actor, id)
    connection.execute(delete(tables.lookup_rows).where(ROWS.id == _row(connection, id, row_id).id))


def replace_rows(
    connection: Connection, actor: Actor, id: int, wanted: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Put these rows, whose lefts differ, in place of all that there are. Raises Missing."""
    _touch(connection, actor, id)
    connection.execute(delete(tables.lookup_rows).where(ROWS.lookup_table_id == id))
    if wanted:
        made = [{"lookup_table_id": id, "left": left, "right": right} for left, right in wanted]
        connection.execute(insert(tables.lookup_rows), made)
    return get(connection, actor, id)


def row_view(row: Row[Any]) -> dict[str, Any]:
    """A row as the API shows it."""
    return {"id": row.id, "left": row.left, "right": row.right}


def _touch(connection: Connection, actor: Actor, id: int) -> None:
    """Give the table another revision; whoever changes its rows waits for those who do so already."""
    own = (TABLES.id == id, TABLES.company_id == actor.company_id)
    changed = update(tables.lookup_tables).where(*own)
    again = changed.values(revision=TABLES.revision + 1, updated_at=actor.at)
    if not connection.execute(again).rowcount:
        raise errors.Missing("Lookup table", id)


def _row(connection: Connection, id: int, row_id: int) -> Row[Any]:
    found = select(tables.lookup_rows).where(ROWS.id == row_id, ROWS.lookup_table_id == id)
    row = connection.execute(found).one_or_none()
    if row is None:
        raise errors.Missing("Lookup row", row_id)
    return row


def _taken(fields: Mapping[str, str]) -> errors.Invalid:
    return errors.Invalid.field(
        "left", f"There is a row with '{fields['left'][:100]}' on the left already; change that one."
    )
