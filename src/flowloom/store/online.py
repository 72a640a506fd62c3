"""What migrations are made of: changes that leave alone those who work on the database meanwhile.

Each lets be what is done already, so that a migration that was cut short goes on. No table is rewritten or locked for
longer than it takes to note a change; PostgreSQL builds indexes beside the work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import op

# How long a change waits for a table. Whoever comes after it waits as long.
LOCK_SECONDS = 2


@contextmanager
def _by_itself(*, patient: bool = False) -> Iterator[None]:
    """On PostgreSQL outside of a transaction: a change that held one table while it waits for another would be in the
    way of a transaction that needs them the other way round. A patient one waits without being waited for."""
    if op.get_bind().dialect.name == "sqlite":
        yield
        return
    with op.get_context().autocommit_block():
        op.execute(f"SET lock_timeout = '{0 if patient else LOCK_SECONDS}s'")
        yield


def add_column(table: str, column: sa.Column[Any]) -> None:
    """A column that may be empty, or has a constant default: rows that are there need not be written."""
    if column.name not in {found["name"] for found in _look().get_columns(table)}:
        assert column.nullable or column.server_default is not None, column
        with _by_itself():
            op.add_column(table, column)


def drop_column(table: str, name: str) -> None:
    if name in {found["name"] for found in _look().get_columns(table)}:
        with _by_itself():
            op.drop_column(table, name)


def add_tables(tables: Sequence[sa.Table]) -> None:
    """With their indexes: on a new table nobody works."""
    with _by_itself():
        tables[0].metadata.create_all(op.get_bind(), tables)


def drop_tables(tables: Sequence[sa.Table]) -> None:
    with _by_itself():
        tables[0].metadata.drop_all(op.get_bind(), tables)


def add_index(table: sa.Table, name: str) -> None:
    """The index of that name among those that the table is declared with."""
    index = next(index for index in table.indexes if index.name == name)
    if op.get_bind().dialect.name == "sqlite":
        index.create(op.get_bind(), checkfirst=True)
        return
    with _by_itself(patient=True):
        if _is_broken(name):
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.create_index(
            name,
            table.name,
            list(index.expressions),
            unique=index.unique,
            if_not_exists=True,
            postgresql_concurrently=True,
            postgresql_where=index.dialect_options["postgresql"]["where"],
        )


def drop_index(table: str, name: str) -> None:
    with _by_itself(patient=True):
        is_concurrent = op.get_bind().dialect.name != "sqlite"
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=is_concurrent)


def _look() -> sa.Inspector:
    """At the database as it is now."""
    found: sa.Inspector = sa.inspect(op.get_bind())
    return found


def _is_broken(index: str) -> bool:
    """Whether an index is what a building that was cut short has left."""
    asked = sa.text("SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
    return bool(op.get_bind().scalar(asked, {"name": index}))
