"""One server at a time: two that worked on the same database would run the same runs twice.

On SQLite it is a lock on a file beside the database, on PostgreSQL a session's advisory lock. Both end with the
process, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Final, Self

import structlog
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from flowloom import errors
from flowloom.store.database import Database

log = structlog.get_logger(__name__)

# Any number will do that nothing else locks: the letters "flow" and "loom".
LOCK: Final = int.from_bytes(b"flowloom") >> 1
# PostgreSQL may take a while to notice that the process of a session is gone.
WAIT_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.1


class Lease:
    """The right to run the loops on a database, for as long as the `with` block lasts."""

    def __init__(self, database: Database, wait_seconds: float = WAIT_SECONDS) -> None:
        self._database = database
        self._file: int | None = None
        self._engine: Engine | None = None
        self._wait_seconds = 0 if database.is_sqlite else wait_seconds

    def __enter__(self) -> Self:
        """Raises Conflict when another server has it, and keeps it."""
        self._open()
        until = time.monotonic() + self._wait_seconds
        while not self._take():
            if time.monotonic() >= until:
                self.__exit__()
                raise errors.Conflict(
                    "Another Flowloom server works on this database; stop it first, or give this one its own."
                )
            time.sleep(POLL_SECONDS)
        return self

    def keep(self) -> bool:
        """Whether it still is ours, taken anew if the database ended the session; False once another has it.

        A database out of reach takes nothing away: nobody can work on it meanwhile.
        """
        try:
            return self._take()
        except DBAPIError as error:
            log.warning("lease_unknown", reason=str(error.orig))
            return True

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            os.close(self._file)
        if self._engine is not None:
            self._engine.dispose()

    def _open(self) -> None:
        if self._database.is_sqlite:
            path = Path(f"{self._database.url.database}.lock")
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        else:
            self._engine = create_engine(
                self._database.url, isolation_level="AUTOCOMMIT", poolclass=StaticPool
            )

    def _take(self) -> bool:
        """Try to lock; whoever has the lock gets it again."""
        if self._engine is not None:
            with self._engine.connect() as connection:
                return bool(connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LOCK}))
        assert self._file is not None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
