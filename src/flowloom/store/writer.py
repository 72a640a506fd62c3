"""The group-committing writer: a thread that owns one connection and commits the functions handed to it together.

While one group is synced to disk the next one gathers, so the cost of a commit is shared. Each function runs
under a savepoint, so one that fails rolls back alone. A future resolves only after its group's COMMIT. A group that
cannot be written fails as a whole, and the next one gets a new connection.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from flowloom import errors

log = structlog.get_logger(__name__)

T = TypeVar("T")
GROUP_LIMIT = 256
# What PostgreSQL says of itself and not of a statement: no connection, no room, stopped by its operator, no file.
LOST_CLASSES: Final = ("08", "53", "57", "58")
READ_ONLY: Final = "25006"
DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
# Changes nothing, and yet its commit has to be written to the disk.
PROOF: Final = {"sqlite": "PRAGMA user_version = 0", "postgresql": "SELECT pg_current_xact_id()"}


@dataclass(slots=True)
class Job:
    """One function to run in a write transaction, and who waits for it: a loop's future or a thread's."""

    work: Callable[[Connection], Any]
    waiter: asyncio.Future[Any] | Future[Any]
    loop: asyncio.AbstractEventLoop | None = None
    result: Any = None
    error: BaseException | None = field(default=None)

    def settle(self) -> None:
        if self.waiter.cancelled() or self.waiter.done():
            return
        if self.error is not None:
            self.waiter.set_exception(self.error)
        else:
            self.waiter.set_result(self.result)


class Writer:
    """Runs jobs one after another on one connection, in groups of up to 256 a transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # Why the last group could not be written.
        self.fault: str | None = None
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name="flowloom-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Connection], T]) -> asyncio.Future[T]:
        """Hand over a function from the event loop; the future resolves after its commit."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[T] = loop.create_future()
        self._jobs.put(Job(work, waiter, loop))
        return waiter

    def run(self, work: Callable[[Connection], T]) -> T:
        """The same from a plain thread, waiting for the commit."""
        waiter: Future[T] = Future()
        self._jobs.put(Job(work, waiter))
        return waiter.result()

    def close(self) -> None:
        """Finish what was handed over, then end the thread."""
        self._jobs.put(None)
        self._thread.join()

    def _loop(self) -> None:
        while (group := self._gather()) is not None:
            self._commit(group)
            settle(group)

    def _gather(self) -> list[Job] | None:
        first = self._jobs.get()
        if first is None:
            return None
        group = [first]
        while len(group) < GROUP_LIMIT and not self._jobs.empty():
            job = self._jobs.get()
            if job is None:
                self._jobs.put(None)
                break
            group.append(job)
        return group

    def _commit(self, group: Sequence[Job]) -> None:
        try:
            with self._engine.connect() as connection:
                self._write(connection, group)
        except BaseException as error:  # noqa: BLE001 - the thread must outlive whatever ended this group
            fail(group, error)
            self._note(reason(error))
        else:
            self._note(None)

    def _write(self, connection: Connection, group: Sequence[Job]) -> None:
        try:
            with connection.begin():
                if self.fault is not None:
                    connection.exec_driver_sql(PROOF[connection.dialect.name])
                for job in group:
                    run_job(connection, job)
        except BaseException:
            # What a connection holds after a write or a sync that failed is in doubt.
            connection.invalidate()
            raise

    def _note(self, fault: str | None) -> None:
        """Log when writing begins to fail, and when it works again."""
        before, self.fault = self.fault, fault
        if fault is not None and before is None:
            log.error("database_not_written", reason=fault)
        if fault is None and before is not None:
            log.info("database_written_again")


def run_job(connection: Connection, job: Job) -> None:
    """Run one job under a savepoint. A lost database ends the whole group, any other failure only this job."""
    savepoint = connection.begin_nested()
    try:
        job.result = job.work(connection)
        savepoint.commit()
    except BaseException as error:
        if is_lost(error):
            raise
        # The waiter knows what it means.
        job.error = error
        savepoint.rollback()


def is_lost(error: BaseException) -> bool:
    """Whether the database could not be reached, read or written at all, whatever was asked of it."""
    if isinstance(error, OperationalError | InterfaceError):
        return True
    cause = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(cause, sqlite3.Error):
        # Of an error that only its text tells apart there is no code; the low byte is the kind.
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF in DAMAGED
    state = getattr(cause, "sqlstate", None) or ""
    return state == READ_ONLY or state.startswith(LOST_CLASSES)


def fail(group: Sequence[Job], error: BaseException) -> None:
    """Nothing of the group was kept: say so to each waiter that has no failure of its own."""
    for job in group:
        job.error = job.error or busy(error)


def busy(error: BaseException) -> errors.Busy:
    """The database could not be reached or could not write."""
    return errors.Busy(f"The database cannot take this now ({reason(error)}); try again.")


def reason(error: BaseException) -> str:
    """Why, in words that anybody may read: SQLite names no more than what happened, PostgreSQL also hosts and users."""
    cause = getattr(error, "orig", None) or error
    is_of_sqlite = isinstance(cause, sqlite3.Error) and hasattr(cause, "sqlite_errorcode")
    return str(cause) if is_of_sqlite else type(cause).__name__


def settle(group: Sequence[Job]) -> None:
    """Resolve the futures of a committed group, with one call into each event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Job]] = {}
    for job in group:
        if job.loop is None:
            job.settle()
        else:
            by_loop.setdefault(job.loop, []).append(job)
    for loop, jobs in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle_all, jobs)


def settle_all(jobs: Sequence[Job]) -> None:
    for job in jobs:
        job.settle()
