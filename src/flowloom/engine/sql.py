"""What all databases have in common: parameters and rows as JSON knows them, and the threads of blocking drivers."""

from __future__ import annotations

import asyncio
import base64
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

from flowloom import errors
from flowloom.domain import bulk, statements
from flowloom.steps import contract, outside

T = TypeVar("T")
MAX_PAGE_BYTES: Final = 64 * 1024 * 1024
MAX_INTEGER: Final = 2**63 - 1
# How many blocking statements there may be at once; further ones wait.
_THREADS: Final = 16
_VALUE_BYTES: Final = 8
_FIRST_ROWS: Final = 10
_ROWS_AT_ONCE: Final = 500
_BYTES_AT_ONCE: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Server:
    """A database server as it is connected to: the checked addresses of its host, and who logs in."""

    host: str
    port: int
    addresses: Sequence[str]
    username: str
    password: str
    database: str
    is_tls: bool

    @property
    def site(self) -> str:
        return f"{self.host}:{self.port}"


class Stopper:
    """How the event loop cuts off what a thread does: `is_set` is looked at, `act` is called."""

    def __init__(self) -> None:
        self.is_set = False
        self.act: Callable[[], None] = lambda: None

    def set(self) -> None:
        self.is_set = True
        self.act()


class Threads:
    """The threads in which drivers block, started when they are first needed."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="flowloom-sql")

    async def run(self, work: Callable[[Stopper], T]) -> T:
        """What `work` answers; cancelled, its stopper is set."""
        stopper = Stopper()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, stopper)
        except asyncio.CancelledError:
            stopper.set()
            raise

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


class Page:
    """The rows of one page, as they come in. Raises RequestFailed for columns of one name, and over MAX_PAGE_BYTES."""

    def __init__(self, columns: Sequence[str] | None, limit: int) -> None:
        if columns is None:
            raise rejected("The statement answers no rows; use a send for what writes.")
        for column in columns:
            if columns.count(column) > 1:
                raise rejected(
                    f"The statement answers two columns '{column}'; give one of them another name with AS."
                )
        self._columns = columns
        self._limit = limit
        self._rows: list[dict[str, object]] = []
        self._size_bytes = 0

    @property
    def at_once(self) -> int:
        """How many rows to ask for together: few while they may be large, and together no more than some megabytes."""
        if not self._rows:
            return min(self.wanted, _FIRST_ROWS)
        about_bytes = max(self._size_bytes // len(self._rows), 1)
        return max(min(self.wanted, _BYTES_AT_ONCE // about_bytes, _ROWS_AT_ONCE), 1)

    @property
    def wanted(self) -> int:
        """How many rows there is room for, with one more that tells whether this is the last page."""
        return self._limit + 1 - len(self._rows)

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        for row in rows:
            made = dict(zip(self._columns, map(plain, row), strict=True))
            self._size_bytes += sum(_about_bytes(value) for value in made.values())
            if self._size_bytes > MAX_PAGE_BYTES:
                raise rejected(f"A page of rows is over {MAX_PAGE_BYTES:,} bytes; make page_size smaller.")
            self._rows.append(made)

    def finish(self) -> outside.Rows:
        following = None if self.wanted > 0 else self._rows[self._limit]
        return outside.Rows(self._rows[: self._limit], following, self._size_bytes)


def parse(text: str, dialect: statements.Dialect, parameters: Mapping[str, object]) -> statements.Statement:
    """The statement, whose every name has a parameter. Raises RequestFailed."""
    statement = statements.parse(text, dialect)
    try:
        statement.require(parameters)
    except errors.Invalid as error:
        raise rejected(error.message) from None
    return statement


def prepared(
    execution: outside.Execution, dialect: statements.Dialect
) -> tuple[statements.Statement, list[dict[str, Any]]]:
    """The statement, and what is bound each time. Raises RequestFailed."""
    statement = statements.parse(execution.statement, dialect)
    for parameters in execution.parameters:
        parse(execution.statement, dialect, parameters)
    return statement, [bound(statement, parameters) for parameters in execution.parameters]


def bound(statement: statements.Statement, parameters: Mapping[str, object]) -> dict[str, Any]:
    """The parameters that a statement uses, lists and objects as JSON text."""
    return {name: _bindable(parameters[name]) for name in statement.names}


def _bindable(value: object) -> object:
    return bulk.encode(value).decode() if isinstance(value, list | dict) else value


def plain(value: object) -> object:
    """A column's value as JSON: numbers where they stay exact, ISO 8601, base64 for bytes, else text."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if -MAX_INTEGER <= value <= MAX_INTEGER else str(value)
        case float():
            return value if math.isfinite(value) else str(value)
        case Decimal():
            return _number(value)
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return f"PT{value.total_seconds():.6f}".rstrip("0").rstrip(".") + "S"
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(value).decode()
        case list() | tuple():
            return [plain(item) for item in value]
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case _:
            return str(value)


def _number(value: Decimal) -> object:
    if not value.is_finite():
        return str(value)
    if value.as_tuple().exponent == 0 and abs(value) <= MAX_INTEGER:
        return int(value)
    nearest = float(value)
    return nearest if math.isfinite(nearest) and Decimal(repr(nearest)) == value else f"{value:f}"


def _about_bytes(value: object) -> int:
    return len(value) if isinstance(value, str) else _VALUE_BYTES


def rejected(why: str, error_class: str = "rejected") -> contract.RequestFailed:
    """What no second try can mend."""
    return contract.RequestFailed(why, passing=False, error_class=error_class)
