"""All large bodies that the rows of a database name: copying them elsewhere, and finding those that are not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from sqlalchemy import Engine, select

from flowloom import errors
from flowloom.store import blobs, tables

AT_ONCE: Final = 500
_COLUMNS: Final = (tables.payloads.c.blob, tables.dead_letters.c.blob)


def copy(source: Engine, here: blobs.Blobs, there: blobs.Blobs, told: Callable[[str], None]) -> list[str]:
    """Copy the bodies that are not there yet; those that are nowhere. Raises Busy."""
    nowhere = []
    for name in named(source):
        if there.has(name):
            continue
        try:
            here.copy(name, there)
        except errors.Missing:
            nowhere.append(name)
        told("body-copied")
    return nowhere


def missing(engine: Engine, store: blobs.Blobs) -> list[str]:
    """The bodies that rows name, now too, and that are not there: a server may be removing some meanwhile."""
    gone = [name for name in named(engine) if not store.has(name)]
    with engine.connect() as connection:
        return [
            name
            for name in gone
            if any(connection.scalar(select(one).where(one == name).limit(1)) for one in _COLUMNS)
        ]


def named(engine: Engine) -> Iterator[str]:
    """The bodies that rows name; one of a payload and of a dead letter comes twice."""
    for column in _COLUMNS:
        last = ""
        while some := _names_after(engine, column, last):
            yield from some
            last = some[-1]


def _names_after(engine: Engine, column: Any, last: str) -> list[str]:
    found = select(column).where(column > last).distinct().order_by(column).limit(AT_ONCE)
    with engine.connect() as connection:
        return list(connection.scalars(found))
