"""Who may work on a database. A server that is alone has it for itself: two would run the same runs twice. Processes
that work together share it, and one of them leads.

On SQLite it is a lock on a file beside the database, on PostgreSQL a session's advisory lock. Both end with the
process, however it ends.
"""

from __future__ import annotations

import enum
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

# Any numbers will do that nothing else locks: the letters "flow" and "loom", and the next one.
LOCK: Final = int.from_bytes(b"flowloom") >> 1
LEAD: Final = LOCK + 1
# PostgreSQL may take a while to notice that the process of a session is gone.
WAIT_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.1
# PostgreSQL ends the session of a leader that has not said a word for so long: it hangs, or is cut off.
SILENT_LEADER_SECONDS: Final = 3


class Kind(enum.Enum):
    """What is locked, and how."""

    ALONE = "pg_try_advisory_lock", LOCK
    TOGETHER = "pg_try_advisory_lock_shared", LOCK
    LEADER = "pg_try_advisory_lock", LEAD


class Lease:
    """The right to run loops on a database. As a context: for as long as the `with` block lasts."""

    def __init__(
        self, database: Database, kind: Kind = Kind.ALONE, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        self._database = database
        self._kind = kind
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
                raise errors.Conflict(_CONFLICTS[self._kind])
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

    def lead(self) -> bool:
        """Whether it is ours, also if it was not before. Without the database nobody leads."""
        try:
            if self._engine is None:
                self._open()
            return self._take()
        except DBAPIError as error:
            log.warning("leader_unknown", reason=str(error.orig))
            return False

    def release(self) -> None:
        """Leave it to others."""
        self.__exit__()

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            os.close(self._file)
        if self._engine is not None:
            self._engine.dispose()

    def _open(self) -> None:
        if self._database.is_sqlite:
            path = Path(f"{self._database.url.database}.lock")
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            return
        url = self._database.url
        if self._kind is Kind.LEADER:
            silence = f" -c idle_session_timeout={SILENT_LEADER_SECONDS}s"
            url = url.update_query_dict({"options": f"{url.query['options']}{silence}"})
        self._engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=StaticPool)

    def _take(self) -> bool:
        """Try to lock; whoever has the lock gets it again."""
        if self._engine is not None:
            function, lock = self._kind.value
            with self._engine.connect() as connection:
                return bool(connection.scalar(text(f"SELECT {function}(:lock)"), {"lock": lock}))
        assert self._file is not None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


_CONFLICTS: Final = {
    Kind.ALONE: "Another Flowloom server works on this database; stop it first, or give this one its own.",
    Kind.TOGETHER: "A Flowloom server that is alone works on this database; stop it first, or give it "
    "FLOWLOOM_NATS_URL too.",
    Kind.LEADER: "Another process leads.",
}
