"""SQLite files as connectors use them: only those in one directory, and nothing that leads out of it."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flowloom.engine import sql
from flowloom.steps import contract, outside

_STEPS_BETWEEN_LOOKS: Final = 10_000
_LOCK_SECONDS: Final = 5.0
_PASSING: Final = frozenset(
    {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
)
_DENIED: Final = frozenset(
    {sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_SAVEPOINT}
)
_DENIED_FUNCTIONS: Final = frozenset({"load_extension", "fts3_tokenizer"})
_TELLING_PRAGMAS: Final = frozenset(
    {"foreign_key_list", "index_info", "index_list", "index_xinfo", "table_info", "table_list", "table_xinfo"}
)


@dataclass(frozen=True, slots=True)
class Files:
    """The directory of the files that flows may use. `own` is the server's own database, which they never may."""

    directory: Path
    own: Path | None

    def locate(self, name: str, *, make: bool = False) -> Path:
        """The path of a file by its bare name. Raises RequestFailed when it is none that may be used, or not there."""
        path = self.directory / name
        if path.name != name or name.startswith(".") or path.is_symlink() or self._is_own(path):
            raise sql.rejected(f"The file {name} cannot be used.", "refused")
        if make:
            self.directory.mkdir(parents=True, exist_ok=True)
        elif not path.is_file():
            raise sql.rejected(f"There is no file {name} in {self.directory.name}/ of the data directory.")
        return path

    def _is_own(self, path: Path) -> bool:
        """Whether this is the server's own database or one of the files beside it, by whatever name."""
        if self.own is None:
            return False
        beside = [
            self.own,
            *(self.own.with_name(self.own.name + end) for end in ("-wal", "-shm", "-journal")),
        ]
        if any(path.resolve() == own.resolve() for own in beside):
            return True
        return path.exists() and any(own.exists() and path.samefile(own) for own in beside)


def query(files: Files, name: str, query: outside.Query) -> Callable[[sql.Stopper], outside.Rows]:
    """Work for a thread: a page of rows, over a connection that cannot write. It raises RequestFailed."""
    statement = sql.parse(query.statement, "sqlite", query.parameters)
    parameters = sql.bound(statement, query.parameters)
    path = files.locate(name)

    def work(stopper: sql.Stopper) -> outside.Rows:
        with _connected(path, stopper, "rw") as connection:
            connection.execute("PRAGMA query_only = ON")
            with _guarded(connection):
                cursor = connection.execute(query.statement, parameters)
                columns = [column[0] for column in cursor.description] if cursor.description else None
                page = sql.Page(columns, query.limit)
                page.add(itertools.islice(cursor, query.skip, query.skip + page.wanted))
            return page.finish()

    return work


def execute(files: Files, name: str, execution: outside.Execution) -> Callable[[sql.Stopper], int]:
    """Work for a thread: execute for each set of parameters, all or none, and count the rows that it touched.

    A file that is not there is made. It raises RequestFailed.
    """
    _, every = sql.prepared(execution, "sqlite")
    path = files.locate(name, make=True)

    def work(stopper: sql.Stopper) -> int:
        with _connected(path, stopper, "rwc") as connection:
            connection.execute("BEGIN IMMEDIATE")
            with _guarded(connection):
                counts = [connection.execute(execution.statement, values).rowcount for values in every]
            connection.execute("COMMIT")
            return sum(max(count, 0) for count in counts)

    return work


@contextlib.contextmanager
def _connected(path: Path, stopper: sql.Stopper, mode: str) -> Iterator[sqlite3.Connection]:
    """A connection that is rolled back and closed, its errors turned into RequestFailed."""
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=_LOCK_SECONDS
        )
    except sqlite3.Error as error:
        raise _failed(path, error) from None
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, sql.MAX_PAGE_BYTES)
        connection.text_factory = _text
        connection.set_progress_handler(lambda: stopper.is_set, _STEPS_BETWEEN_LOOKS)
        yield connection
    except (sqlite3.Error, sqlite3.Warning, OverflowError) as error:
        raise _failed(path, error) from None
    finally:
        connection.close()


@contextlib.contextmanager
def _guarded(connection: sqlite3.Connection) -> Iterator[None]:
    """Let nothing through meanwhile that reaches other files or ends the transaction."""
    connection.set_authorizer(_authorize)
    yield
    connection.set_authorizer(None)


def _authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    is_denied = (
        action in _DENIED
        or (action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _DENIED_FUNCTIONS)
        or (action == sqlite3.SQLITE_PRAGMA and (first or "").lower() not in _TELLING_PRAGMAS)
    )
    return sqlite3.SQLITE_DENY if is_denied else sqlite3.SQLITE_OK


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")


def _failed(path: Path, error: Exception) -> contract.RequestFailed:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    said = str(error).rstrip(".")
    why = f"{path.name} refused the statement: {said}."
    if code == sqlite3.SQLITE_INTERRUPT:
        return contract.RequestFailed(why, passing=True, error_class="timeout")
    if code in _PASSING:
        return contract.RequestFailed(why, passing=True)
    return sql.rejected(why)
