"""The database behind one interface: reads in a small pool of threads, writes grouped or pooled by what it is.

On SQLite every write goes through the one Writer. On PostgreSQL a request's write takes a pooled connection and
only what the journal writes is grouped.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from flowloom import errors
from flowloom.store import locks, rights, writer

T = TypeVar("T")
READERS: Final = 3
# PostgreSQL ends one of two transactions that wait for each other; that one is simply done again.
DEADLOCK: Final = "40P01"
DEADLOCK_TRIES: Final = 3
CONNECT_TIMEOUT_SECONDS: Final = 5
# How long anything waits for a lock that another session holds, and for one statement or hop altogether.
LOCK_SECONDS: Final = 5
ANSWER_SECONDS: Final = 30
PROBE_SECONDS: Final = 5
# A server that vanished without a word is given up after about a minute.
KEEPALIVE: Final = {
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}


class Database:
    """Opened from a URL; `close()` finishes what was handed over."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if not self.is_sqlite:
            self.url = self.url.set(query={**_limits(), **self.url.query})
        self._write_engine = self._open_writer()
        self._read_engine = self._open_reader()
        self._threads = ThreadPoolExecutor(READERS if self.is_sqlite else 8, thread_name_prefix="flowloom-db")
        self._probe_thread = ThreadPoolExecutor(1, thread_name_prefix="flowloom-probe")
        self._writer = writer.Writer(self._write_engine)

    async def read(self, work: Callable[..., T], *args: Any) -> T:
        """Run `work(connection, *args)` on a read-only connection. Raises errors.Busy without a database."""
        return await self._hop(self.read_now, work, *args)

    def read_now(self, work: Callable[..., T], *args: Any) -> T:
        """The same, in the calling thread."""
        try:
            with self._read_engine.connect() as connection:
                return work(connection, *args)
        except DBAPIError as error:
            raise translate(error) from error

    async def write(self, work: Callable[..., T], *args: Any) -> T:
        """Run `work(connection, *args)` in a write transaction of its own; answers after the commit."""
        if self.is_sqlite:
            return await answered(self.write_grouped(lambda connection: work(connection, *args)))
        return await self._hop(self.write_now, work, *args)

    def write_now(self, work: Callable[..., T], *args: Any) -> T:
        """The same, in the calling thread."""
        if self.is_sqlite:
            return self._writer.run(lambda connection: work(connection, *args))
        for tries_left in reversed(range(DEADLOCK_TRIES)):
            try:
                with self._write_engine.begin() as connection:
                    return work(connection, *args)
            except DBAPIError as error:
                if not (tries_left and getattr(error.orig, "sqlstate", None) == DEADLOCK):
                    raise translate(error) from error
        raise AssertionError("the last try returns or raises")

    async def write_grouped(self, work: Callable[[Connection], T]) -> T:
        """Run `work(connection)` under a savepoint in the writer's next group; answers after its commit."""
        try:
            return await self._writer.submit(work)
        except DBAPIError as error:
            raise translate(error) from error

    @asynccontextmanager
    async def alone(self, what: str) -> AsyncIterator[None]:
        """While this lasts no other process is here for the same; on SQLite there is none. Raises errors.Busy."""
        if self.is_sqlite:
            yield
            return
        held = await self._hop(self._hold, what)
        try:
            yield
        finally:
            await asyncio.shield(self._hop(held.close))

    def _hold(self, what: str) -> Connection:
        """A connection whose session has a lock, which ends with it."""
        try:
            with ExitStack() as opened:
                held = opened.enter_context(self._write_engine.connect())
                held.detach()
                locks.hold_in_session(held, what)
                opened.pop_all()  # From here on whoever asked for it closes it.
        except DBAPIError as error:
            raise translate(error) from error
        return held

    def faults(self) -> list[str]:
        """Why the last group could not be written, in words; nothing once one was written again."""
        fault = self._writer.fault
        return [] if fault is None else [f"the database cannot be written ({fault})"]

    async def probe(self, work: Callable[[Connection], list[str]]) -> list[str]:
        """What `work(connection)` finds wrong, and why the database cannot be read or written, in words.

        It has a thread of its own, so that no request that hangs hides how the database is. Raises errors.Busy.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                found = await loop.run_in_executor(self._probe_thread, self.read_now, _looked_at, work)
        except TimeoutError:
            found = ["the database does not answer"]
        return self.faults() + found

    async def _hop(self, work: Callable[..., T], *args: Any) -> T:
        return await answered(asyncio.get_running_loop().run_in_executor(self._threads, work, *args))

    def close(self) -> None:
        self._writer.close()
        self._probe_thread.shutdown(wait=False, cancel_futures=True)
        self._threads.shutdown()
        self._read_engine.dispose()
        self._write_engine.dispose()

    def _open_writer(self) -> Engine:
        if not self.is_sqlite:
            return self._open_postgres()
        if self.url.database:
            Path(self.url.database).parent.mkdir(rights.DIRECTORY_MODE, parents=True, exist_ok=True)
            rights.close_database(self.url)
        engine = create_engine(
            self.url,
            pool_size=1,
            connect_args={"timeout": LOCK_SECONDS, "check_same_thread": False},
            hide_parameters=True,
        )
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_immediate)
        return engine

    def _open_reader(self) -> Engine:
        if not self.is_sqlite:
            return self._open_postgres(isolation_level="AUTOCOMMIT")
        engine = create_engine(
            read_only(self.url),
            pool_size=READERS + 1,
            connect_args={"check_same_thread": False, "timeout": LOCK_SECONDS},
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
        )
        event.listen(engine, "connect", _set_up_reader)
        return engine

    def _open_postgres(self, **options: Any) -> Engine:
        engine = create_engine(
            self.url, pool_size=8, max_overflow=4, pool_pre_ping=True, hide_parameters=True, **options
        )
        event.listen(engine, "handle_error", _leave_read_only)
        return engine


async def answered(answer: Awaitable[T]) -> T:
    """What the database answers. Raises errors.Busy when it takes too long."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await answer
    except TimeoutError as error:
        raise errors.Busy(
            f"The database gave no answer within {ANSWER_SECONDS:g} seconds; try again."
        ) from error


def translate(error: DBAPIError) -> Exception:
    """A lost or full database is Busy; anything else is ours to handle."""
    return writer.busy(error) if writer.is_lost(error) else error


def _limits() -> dict[str, str]:
    """What a connection to PostgreSQL is opened with: nothing waits without end."""
    waits = f"-c lock_timeout={LOCK_SECONDS}s -c statement_timeout={ANSWER_SECONDS}s"
    return {"connect_timeout": str(CONNECT_TIMEOUT_SECONDS), "options": waits, **KEEPALIVE}


def _leave_read_only(context: ExceptionContext) -> None:
    """A session may stay as it was opened while its server was a replica: all of the pool are opened anew."""
    if getattr(context.original_exception, "sqlstate", None) == writer.READ_ONLY:
        context.is_disconnect = True


def _looked_at(connection: Connection, work: Callable[[Connection], list[str]]) -> list[str]:
    if connection.dialect.name == "sqlite":
        return work(connection)
    if connection.scalar(text("SHOW transaction_read_only")) == "on":
        connection.invalidate()
        return ["the database is read-only"]
    return work(connection)


def read_only(url: URL) -> URL:
    """The URL that opens the same SQLite file without the right to write."""
    return url.set(database=f"file:{quote(url.database or '')}", query={"mode": "ro", "uri": "true"})


def _set_up_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA cache_size=-16000")


def _set_up_reader(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.execute("PRAGMA query_only=ON")
    connection.execute("PRAGMA cache_size=-8000")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def insert_or_ignore(connection: Connection, table: Any, *key: Any) -> Any:
    """An insert that leaves a row with the same key as it is: any unique key, or the one of these columns."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table).on_conflict_do_nothing(index_elements=key or None)


def row_or_missing(row: Any, noun: str, id: object) -> Any:
    """The row, or errors.Missing naming what was looked for."""
    if row is None:
        raise errors.Missing(noun, id)
    return row


def insert_or_replace(connection: Connection, table: Any, key: Sequence[Any], columns: Sequence[str]) -> Any:
    """An insert that gives a row with the same key its own values in these columns."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table)
    replaced = {column: statement.excluded[column] for column in columns}
    return statement.on_conflict_do_update(index_elements=key, set_=replaced)


def insert_or_add(connection: Connection, table: Any, column: str) -> Any:
    """An insert that adds its `column` to that of a row with the same primary key."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table)
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={column: table.c[column] + statement.excluded[column]},
    )
