"""Many rows in one statement, with as little work for each of them as can be: what a run leaves is written so.

A statement is made into the driver's text once for each database; a row then costs a tuple and its conversions.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

_DIALECTS: Final = {
    "sqlite": sqlite.dialect(paramstyle="qmark"),
    "postgresql": postgresql.psycopg.dialect(paramstyle="format"),  # type: ignore[no-untyped-call]
}
Row = Mapping[str, Any]


def insert(
    connection: Connection, table: Table, rows: Sequence[Row], unless: Sequence[Any] | None = None
) -> None:
    """Insert rows that all have the keys of the first. `unless`: one whose key, of these columns, is taken stays out;
    () is any unique key."""
    if rows:
        prepared = _insert(connection.dialect.name, table, tuple(rows[0]), unless)
        prepared.execute(connection, rows)


def update(connection: Connection, statement: Any, rows: Sequence[Row]) -> None:
    """Execute an update for each row. The row's keys are all the parameters that the statement has."""
    if rows:
        _update(connection.dialect.name, statement).execute(connection, rows)


class _Prepared:
    """A statement as the driver takes it: its text, and how a row becomes its parameters."""

    def __init__(self, statement: Any, dialect_name: str, names: Sequence[str] | None = None) -> None:
        dialect = _DIALECTS[dialect_name]
        compiled = statement.compile(dialect=dialect, column_keys=names)
        order = compiled.positiontup
        self._text = str(compiled)
        self._pick = operator.itemgetter(*order)
        self._convert: list[tuple[int, Callable[[Any], Any]]] = []
        for at, name in enumerate(order):
            convert = compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)
            if convert is not None:
                self._convert.append((at, convert))

    def execute(self, connection: Connection, rows: Sequence[Row]) -> None:
        connection.exec_driver_sql(self._text, [self._values(row) for row in rows])

    def _values(self, row: Row) -> tuple[Any, ...]:
        values = list(self._pick(row))
        for at, convert in self._convert:
            values[at] = convert(values[at])
        return tuple(values)


@functools.cache
def _insert(dialect_name: str, table: Table, names: Sequence[str], unless: Sequence[Any] | None) -> _Prepared:
    # Inline: else each row's new id would come back, which nobody asks for here.
    statement = (sqlite if dialect_name == "sqlite" else postgresql).insert(table).inline()
    if unless is not None:
        statement = statement.on_conflict_do_nothing(index_elements=unless or None)
    return _Prepared(statement, dialect_name, names)


@functools.cache
def _update(dialect_name: str, statement: Any) -> _Prepared:
    return _Prepared(statement, dialect_name)
