"""Lookup tables as runs read them, by name."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select

from flowloom.domain.lookup import Lookup
from flowloom.store import tables

TABLES, ROWS = tables.lookup_tables.c, tables.lookup_rows.c


@dataclass(frozen=True, slots=True)
class Named:
    """A table, as it is at one revision."""

    id: int
    name: str
    revision: int


def named(connection: Connection, company_id: int, names: Collection[str]) -> list[Named]:
    """The company's tables of these names."""
    found = select(TABLES.id, TABLES.name, TABLES.revision)
    rows = connection.execute(found.where(TABLES.company_id == company_id, TABLES.name.in_(names)))
    return [Named(*row) for row in rows]


def load(connection: Connection, table_id: int) -> Lookup:
    """A table with all its rows, in the order they were made."""
    rows = connection.execute(
        select(ROWS.left, ROWS.right).where(ROWS.lookup_table_id == table_id).order_by(ROWS.id)
    )
    return Lookup.of((left, right) for left, right in rows)
