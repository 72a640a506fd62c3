"""How values are kept: instants as integers of microseconds since 1970 UTC, JSON as text. Equal on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Column, ColumnElement, Integer, Text, TypeDecorator, UnaryExpression
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators
from sqlalchemy.sql.functions import FunctionElement

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def to_micros(instant: datetime) -> int:
    """Microseconds since 1970 of an aware datetime."""
    return (instant - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC datetime of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=micros)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as microseconds since 1970 UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_micros(value)


class DatabaseNow(FunctionElement[datetime]):
    """The clock of the database: the one that processes on several machines share."""

    type = Instant()
    inherit_cache = True


@compiles(DatabaseNow, "postgresql")
def _now_of_postgresql(_element: DatabaseNow, _compiler: Any, **_options: Any) -> str:
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"


@compiles(DatabaseNow, "sqlite")
def _now_of_sqlite(_element: DatabaseNow, _compiler: Any, **_options: Any) -> str:
    # In milliseconds. SQLite before 3.42 has no unixepoch with parts of seconds.
    return "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER) * 1000"


class _MissingFirst(UnaryExpression[Any]):
    """A column in the order in which rows without a value come first."""

    inherit_cache = True


def missing_first(column: Column[Any]) -> UnaryExpression[Any]:
    """A column of an index in that order: SQLite has no other and takes no word for it."""
    return _MissingFirst(column, modifier=operators.nulls_first_op, wraps_column_expression=False)


@compiles(_MissingFirst)
def _missing_first(element: _MissingFirst, compiler: Any, **options: Any) -> str:
    return str(compiler.visit_unary(element, **options))


@compiles(_MissingFirst, "sqlite")
def _missing_first_of_sqlite(element: _MissingFirst, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.element, **options))


class Unindexed(FunctionElement[Any]):
    """A column that SQLite, which does not know how many rows have a value, is not to look up in an index."""

    inherit_cache = True

    def __init__(self, column: ColumnElement[Any]) -> None:
        super().__init__(column)
        self.type = column.type


@compiles(Unindexed)
def _as_it_is(element: Unindexed, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(Unindexed, "sqlite")
def _unindexed_of_sqlite(element: Unindexed, compiler: Any, **options: Any) -> str:
    return f"+{compiler.process(element.clauses, **options)}"


class Json(TypeDecorator[Any]):
    """A JSON value, kept as text; None is SQL NULL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else msgspec.json.decode(value)


Id = BigInteger().with_variant(Integer, "sqlite")
