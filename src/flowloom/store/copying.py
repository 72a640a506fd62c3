"""Copying rows from one database to another as they are kept, batch by batch; what was copied is noted in the target.

A copy that is cut short goes on where it was: a batch and the note of it are one transaction.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    inspect,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import DataError, IntegrityError

from flowloom import errors
from flowloom.store import many, tables

BATCH: Final = 500
# It is there only while rows are copied.
NOTES: Final = Table(
    "flowloom_move",
    MetaData(),
    Column("source", Text, nullable=False),
    Column("table", String(63), primary_key=True),
    Column("last_key", Text),
)
Told = Callable[[str], None]


@functools.cache
def plain(table: Table) -> Table:
    """The table with its values as the database keeps them: instants are numbers, JSON is text."""
    return Table(table.name, MetaData(), *(_plain(column) for column in table.columns))


def _plain(column: Column[Any]) -> Column[Any]:
    kept = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
    return Column(column.name, kept, primary_key=column.primary_key, autoincrement=False)


def prepare(target: Engine, source: str) -> None:
    """Begin a copy in an empty target, or find the one that was begun. Raises Conflict when it holds other data."""
    with target.begin() as connection:
        is_begun = inspect(connection).has_table(NOTES.name)
        begun = connection.scalar(select(NOTES.c.source).limit(1)) if is_begun else None
        if begun == source:
            return
        held = "a move from elsewhere that has not ended" if begun else _held(connection)
        if held is not None:
            raise errors.Conflict(f"The target holds {held}; name an empty database, or empty this one.")
        NOTES.create(connection, checkfirst=True)
        notes = [{"source": source, "table": table.name} for table in tables.metadata.sorted_tables]
        connection.execute(NOTES.insert(), notes)


def _held(connection: Connection) -> str | None:
    for table in tables.metadata.sorted_tables:
        if connection.execute(select(*table.primary_key.columns).limit(1)).first() is not None:
            return f"rows in {table.name}"
    return None


def finish(target: Engine) -> None:
    NOTES.drop(target)


def rows(source: Engine, target: Engine, told: Told) -> None:
    """Copy what is not copied yet of every table, those first that others refer to. Raises Conflict."""
    for table in tables.metadata.sorted_tables:
        raw = plain(table)
        while _copy_batch(source, target, raw):
            told("batch-copied")


def _copy_batch(source: Engine, target: Engine, table: Table) -> bool:
    key = list(table.primary_key.columns)
    note = NOTES.c.table == table.name
    with target.begin() as connection:
        last = connection.scalar(select(NOTES.c.last_key).where(note))
        some = select(table).order_by(*key).limit(BATCH)
        if last is not None:
            some = some.where(tuple_(*key) > tuple_(*msgspec.json.decode(last)))
        found = _read(source, some)
        if found:
            _write(connection, table, found)
            last_key = [found[-1][column.name] for column in key]
            noted = msgspec.json.encode(last_key).decode()
            connection.execute(update(NOTES).where(note).values(last_key=noted))
    return len(found) == BATCH


def _read(source: Engine, some: Any) -> list[dict[str, Any]]:
    with source.connect() as connection:
        return [dict(row) for row in connection.execute(some).mappings()]


def _write(connection: Connection, table: Table, found: Sequence[dict[str, Any]]) -> None:
    """Raises Conflict for what one database keeps and the other does not."""
    try:
        many.insert(connection, table, found)
    except (DataError, IntegrityError) as error:
        said = " ".join(str(error.orig).split())
        raise errors.Conflict(f"The target does not take a row of {table.name}: {said}.") from error
