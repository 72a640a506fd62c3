"""One server at a time: two that worked on the same database would run the same runs twice.

On SQLite it is a lock on a file beside the database, on PostgreSQL a session's advisory lock. Both end with the
process, however it ends.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final, Self

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from flowloom import errors
from flowloom.store.database import Database

# Any number will do that nothing else locks: the letters "flow" and "loom".
LOCK: Final = int.from_bytes(b"flowloom") >> 1


class Lease:
    """The right to run the loops on a database, for as long as the `with` block lasts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._file: int | None = None
        self._engine: Engine | None = None
        self._session: int | None = None

    def __enter__(self) -> Self:
        """Raises Conflict when another server has it."""
        if not (self._lock_file() if self._database.is_sqlite else self._lock_session()):
            raise errors.Conflict(
                "Another Flowloom server works on this database; stop it first, or give this one its own."
            )
        return self

    def is_held(self) -> bool:
        """Whether it still is ours: PostgreSQL gives it back when it ends the session."""
        if self._engine is None:
            return self._file is not None
        try:
            with self._engine.connect() as connection:
                return bool(connection.scalar(text("SELECT pg_backend_pid()")) == self._session)
        except DBAPIError:
            return False

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            os.close(self._file)
        if self._engine is not None:
            self._engine.dispose()

    def _lock_file(self) -> bool:
        path = Path(f"{self._database.url.database}.lock")
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _lock_session(self) -> bool:
        self._engine = create_engine(self._database.url, isolation_level="AUTOCOMMIT", poolclass=StaticPool)
        with self._engine.connect() as connection:
            self._session = connection.scalar(text("SELECT pg_backend_pid()"))
            return bool(connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LOCK}))
