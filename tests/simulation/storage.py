"""A database that fails anywhere: the product's Database and Writer over one SQLite in memory, without threads.

The disk below it breaks a transaction before it begins, at a statement in the middle or at its commit, or loses the
word that it was committed. A dead process commits nothing.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import StaticPool

from flowloom.store import database, tables, writer

AT_BEGIN = 1
LAST_STATEMENT = 14
# What a test's disk holds of each run that is changed after its end, or begins beside one that it must wait for.
WATCH = """
CREATE TEMP TABLE breaches (rule TEXT, run_id INTEGER);
CREATE TEMP TRIGGER changed_after_its_end AFTER UPDATE ON flow_runs
WHEN OLD.status > 1 AND (OLD.status, OLD.finished_at, OLD.summary) IS NOT (NEW.status, NEW.finished_at, NEW.summary)
BEGIN INSERT INTO breaches VALUES ('a run changed after its end', NEW.id); END;
CREATE TEMP TRIGGER begins_beside_another AFTER UPDATE OF status ON flow_runs
WHEN NEW.status = 1 AND OLD.status = 0 AND OLD.fence = 0 AND EXISTS (
    SELECT 1 FROM flow_runs AS other WHERE other.status < 2 AND other.fence > 0 AND other.id <> NEW.id
    AND (other.lane = NEW.lane OR other.serial_key = NEW.serial_key))
BEGIN INSERT INTO breaches VALUES ('two runs of one lane or schedule at once', NEW.id); END;
CREATE TEMP TRIGGER begins_beyond_a_cap AFTER UPDATE OF status ON flow_runs
WHEN NEW.status = 1 AND OLD.status = 0 AND OLD.fence = 0 AND (
    (SELECT concurrency FROM flows WHERE id = NEW.flow_id) BETWEEN 1 AND (SELECT count(*) - 1 FROM flow_runs AS other
        WHERE other.status < 2 AND other.fence > 0 AND other.flow_id = NEW.flow_id)
    OR NEW.parallel_limit < (SELECT count(*) FROM flow_runs AS other WHERE other.status < 2 AND other.fence > 0
        AND other.parent_run_id = NEW.parent_run_id AND other.parent_step_key = NEW.parent_step_key))
BEGIN INSERT INTO breaches VALUES ('more runs than a cap allows', NEW.id); END;
"""


class Broken(sqlite3.OperationalError):
    """What the driver raises when the disk fails."""


class _Cursor(sqlite3.Cursor):
    connection: Disk

    def execute(self, *args: Any) -> sqlite3.Cursor:
        self.connection.count_statement()
        return super().execute(*args)

    def executemany(self, *args: Any) -> sqlite3.Cursor:
        self.connection.count_statement()
        return super().executemany(*args)


class Disk(sqlite3.Connection):
    """The one connection of a simulation, kept from seed to seed; `break_*` is for the transaction that comes next."""

    is_dead = False
    break_at: int | None = None
    break_commit: str | None = None

    def cursor(self, *_args: Any) -> sqlite3.Cursor:
        return _Cursor(self)

    def mend(self) -> None:
        self.break_at = self.break_commit = None

    def count_statement(self) -> None:
        if self.break_at is not None:
            self.break_at -= 1
            if self.break_at <= 0:
                raise Broken("disk I/O error")

    def commit(self) -> None:
        if self.is_dead or self.break_commit == "before":
            raise Broken("database or disk is full")
        super().commit()
        if self.break_commit == "after":
            raise Broken("the commit's answer was lost")

    def close(self) -> None:
        """A connection in doubt is opened anew; what was not committed is gone."""
        self.rollback()


def open_disk(template: str) -> Disk:
    """A copy in memory of a migrated, empty database."""
    disk = sqlite3.connect(
        ":memory:", factory=Disk, isolation_level=None, cached_statements=1000, check_same_thread=False
    )
    with sqlite3.connect(template) as source:
        source.backup(disk)
    source.close()
    disk.executescript(f"PRAGMA foreign_keys = ON; {WATCH}")
    return disk


@dataclass(frozen=True, slots=True)
class Faults:
    """How often a transaction and a read fail, and how long they take at most."""

    write_rate: float
    read_rate: float
    latency_seconds: float


CALM = Faults(0.0, 0.0, 0.01)


class _Writer(writer.Writer):
    """The product's writer, whose turns are events of the loop instead of those of a thread."""

    def __init__(self, simulated: Database, engine: Any) -> None:
        self._engine = engine
        self.fault = None
        self._simulated = simulated
        self._waiting: list[writer.Job] = []
        self._is_busy = False

    def submit(self, work: Callable[..., Any]) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Any] = loop.create_future()
        self._waiting.append(writer.Job(work, waiter, loop))
        self._turn_soon()
        return waiter

    def _turn_soon(self) -> None:
        if not self._is_busy and self._waiting:
            self._is_busy = True
            asyncio.get_running_loop().call_later(self._simulated.latency(), self._turn)

    def _turn(self) -> None:
        group, self._waiting = self._waiting[: writer.GROUP_LIMIT], self._waiting[writer.GROUP_LIMIT :]
        self._simulated.commit(lambda: self._commit(group), len(group))
        asyncio.get_running_loop().call_later(self._simulated.latency(), self._answer, group)

    def _answer(self, group: list[writer.Job]) -> None:
        self._is_busy = False
        writer.settle_all(group)
        self._turn_soon()


class Database(database.Database):
    """The product's database of one process. `note` is told what the disk does.

    `is_pooled`: what a request writes is a transaction beside those of the writer, as on PostgreSQL.
    """

    def __init__(
        self, engines: Engines, note: Callable[..., None], seeded: random.Random, *, is_pooled: bool
    ) -> None:
        self.url = make_url("sqlite+pysqlite://")
        self.is_sqlite = True
        self._read_engine, self._write_engine = engines.read, engines.write
        self.disk = engines.disk
        self._is_pooled = is_pooled
        self.faults_now = CALM
        self.is_out = False
        self._note = note
        self._random = seeded
        self._writer = _Writer(self, engines.write)

    def latency(self) -> float:
        return self._random.random() * self.faults_now.latency_seconds

    async def read(self, work: Callable[..., Any], *args: Any) -> Any:
        await asyncio.sleep(self.latency())
        if self.is_out or self._random.random() < self.faults_now.read_rate:
            self._note("read fails")
            self.disk.break_at = AT_BEGIN
        try:
            found = self.read_now(work, *args)
        finally:
            self.disk.mend()
        # What was read may have changed by the time that it is told.
        await asyncio.sleep(self.latency())
        return found

    async def write(self, work: Callable[..., Any], *args: Any) -> Any:
        if not self._is_pooled:
            return await super().write(work, *args)
        try:
            return await _Writer(self, self._write_engine).submit(lambda connection: work(connection, *args))
        except DBAPIError as error:
            raise database.translate(error) from error

    def commit(self, commit: Callable[[], None], count: int) -> None:
        """Write a group of jobs, or fail somewhere."""
        self._break()
        broken = self.disk.break_at, self.disk.break_commit
        commit()
        self._note("write", count, *broken)
        self.disk.mend()

    def _break(self) -> None:
        if self.is_out:
            self.disk.break_at = AT_BEGIN
        elif self._random.random() < self.faults_now.write_rate:
            where = self._random.random()
            if where < 0.4:
                self.disk.break_at = self._random.randint(AT_BEGIN, LAST_STATEMENT)
            else:
                self.disk.break_commit = "before" if where < 0.6 else "after"


class Engines:
    """SQLAlchemy's engines over one disk, one that writes and one that reads."""

    def __init__(self, template: str) -> None:
        self.disk = open_disk(template)
        self.write = self._engine()
        # What the product says through SQLAlchemy, said to the driver: it is a third of the work otherwise.
        self.write.dialect.do_begin = lambda _connection: self._say("BEGIN IMMEDIATE")
        self.write.dialect.do_savepoint = lambda _connection, name: self._say(f"SAVEPOINT {name}")
        self.write.dialect.do_release_savepoint = lambda _connection, name: self._say(f"RELEASE {name}")
        self.read = self._engine(isolation_level="AUTOCOMMIT")
        names = [table.name for table in reversed(tables.metadata.sorted_tables)]
        self._empty = [f"DELETE FROM {name}" for name in (*names, "sqlite_sequence", "breaches")]

    def _engine(self, **options: Any) -> Any:
        return create_engine(
            "sqlite+pysqlite://",
            creator=lambda: self.disk,
            poolclass=StaticPool,
            hide_parameters=True,
            **options,
        )

    def revive(self) -> None:
        """After the death of a process: what it had not committed is gone, and the next one can write."""
        self.disk.mend()
        self.disk.rollback()
        self.disk.is_dead = False

    def empty(self) -> None:
        """Remove every row and count ids from 1 again."""
        self.revive()
        for statement in ("BEGIN", *self._empty, "COMMIT"):
            self.disk.execute(statement)

    def _say(self, statement: str) -> None:
        """Raises as SQLAlchemy does."""
        try:
            self.disk.count_statement()
            self.disk.execute(statement)
        except sqlite3.OperationalError as error:
            raise OperationalError(statement, None, error) from error
