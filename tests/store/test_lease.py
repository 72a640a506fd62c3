"""The lease: one server per database, kept over a lost session, given away only to another server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text

from flowloom import errors
from flowloom.store.database import Database
from flowloom.store.lease import LOCK, Lease


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def postgresql(postgres_url: str) -> Iterator[Database]:
    opened = Database(postgres_url)
    yield opened
    opened.close()


def end_sessions_of_holders(database: Database) -> None:
    """What PostgreSQL does when it restarts, or when somebody ends the session."""
    ending = "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'"
    engine = create_engine(database.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        assert connection.execute(text(ending)).all()
    engine.dispose()


def test_one_server_has_it_until_it_ends(database: Database):
    with Lease(database) as first:
        with pytest.raises(errors.Conflict, match="Another Flowloom server"), Lease(database, wait_seconds=0):
            pass
        assert first.keep()
    with Lease(database, wait_seconds=0) as second:
        assert second.keep()


def test_a_lost_session_is_taken_anew(postgresql: Database):
    with Lease(postgresql) as held:
        end_sessions_of_holders(postgresql)
        # The first look finds the session gone, the second one takes the lock in a new session.
        assert held.keep()
        assert held.keep()
        with pytest.raises(errors.Conflict), Lease(postgresql, wait_seconds=0):
            pass


def test_it_is_lost_once_another_server_has_it(postgresql: Database):
    with Lease(postgresql) as first:
        end_sessions_of_holders(postgresql)
        with Lease(postgresql, wait_seconds=0):
            first.keep()
            assert not first.keep()


def test_a_start_waits_for_the_session_of_a_server_that_just_died(
    postgresql: Database, monkeypatch: pytest.MonkeyPatch
):
    dying = create_engine(postgresql.url, isolation_level="AUTOCOMMIT")
    connection = dying.connect()
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})

    def die(_seconds: float) -> None:
        connection.close()
        dying.dispose()

    monkeypatch.setattr("flowloom.store.lease.time.sleep", die)
    with Lease(postgresql) as held:
        assert held.keep()
