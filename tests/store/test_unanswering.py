"""A database that is read-only, damaged, locked or silent: whoever asks is told so soon, and it works again after."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, make_url, select, text
from tests.store import rows
from tests.store.conftest import Opened
from tests.store.test_writer import Gate, adding, names

from flowloom import errors
from flowloom.store import database, journal, queue, schema, tables
from flowloom.store.database import Database


@contextmanager
def read_only(url: str) -> Iterator[None]:
    """A PostgreSQL that has become a replica: no session may write, and all that were open are gone."""
    name = make_url(url).database
    engine = create_engine(make_url(url).set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as admin:
        admin.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
        admin.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"),
            {"name": name},
        )
        try:
            yield
        finally:
            admin.execute(text(f"ALTER DATABASE {name} RESET default_transaction_read_only"))
    engine.dispose()


async def test_a_read_only_postgresql_is_busy_not_ready_and_left_as_soon_as_it_may_be_written(
    opened: Opened, database_url: str
):
    if opened.database.is_sqlite:
        return
    with read_only(database_url):
        for _ in range(3):
            with suppress(errors.Busy):
                await opened.database.read(names_of)
        with pytest.raises(errors.Busy, match="ReadOnlySqlTransaction"):
            await opened.database.write(rows.add_company)
        with pytest.raises(errors.Busy, match="try again"):
            await opened.database.write_grouped(adding("a"))
        assert "the database is read-only" in await opened.database.probe(schema.faults)
    await opened.database.write(rows.add_company)
    await opened.database.write_grouped(adding("b"))
    assert names(opened)[-1] == "b"
    assert await opened.database.probe(schema.faults) == []


def names_of(connection):
    return list(connection.scalars(text("SELECT name FROM companies")))


@pytest.mark.parametrize("beginning", [0, 4096])
async def test_a_damaged_file_is_busy_and_says_so(sqlite_template: Path, tmp_path: Path, beginning: int):
    damaged = bytearray(sqlite_template.read_bytes())
    damaged[beginning:] = b"\xff" * (len(damaged) - beginning)
    (tmp_path / "damaged.db").write_bytes(damaged)
    opened = Database(f"sqlite+pysqlite:///{tmp_path / 'damaged.db'}")
    for asked in (opened.read(names_of), opened.write(names_of), opened.probe(schema.faults)):
        with pytest.raises(errors.Busy, match=r"malformed|not a database"):
            await asked
    opened.close()


async def test_a_lock_of_another_session_is_waited_for_a_while(
    database_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(database, "LOCK_SECONDS", 1)
    opened = Database(database_url)
    other = create_engine(database_url)
    with other.connect() as holder:
        holder.execute(text("BEGIN EXCLUSIVE" if opened.is_sqlite else "LOCK TABLE companies"))
        with pytest.raises(errors.Busy, match=r"locked|LockNotAvailable"):
            await opened.write(rows.add_company)
        holder.rollback()
    await opened.write(rows.add_company)
    opened.close()
    other.dispose()


async def test_requests_that_hang_are_answered_and_do_not_hide_how_the_database_is(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(database, "ANSWER_SECONDS", 0.2)
    goes_on = threading.Event()
    hanging = [asyncio.ensure_future(opened.database.read(lambda _: goes_on.wait(10))) for _ in range(20)]
    assert await opened.database.probe(schema.faults) == []
    results = await asyncio.gather(*hanging, return_exceptions=True)
    goes_on.set()
    assert {str(result) for result in results} == {
        "The database gave no answer within 0.2 seconds; try again."
    }
    assert await opened.database.read(names_of) == ["First"]


async def test_a_probe_that_hangs_says_that_nothing_answers(opened: Opened, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(database, "PROBE_SECONDS", 0.05)
    goes_on = threading.Event()
    found = await opened.database.probe(lambda _: goes_on.wait(10) and [])
    goes_on.set()
    assert found == ["the database does not answer"]


async def test_a_start_that_waits_too_long_is_refused_and_never_begins(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(database, "ANSWER_SECONDS", 0.1)
    writing = journal.Journal(opened.database, queue.RunIds(), lambda _: None)
    async with Gate(opened.database):
        with pytest.raises(errors.Busy, match="no answer"):
            await writing.start(rows.start(opened.company_id, opened.flow_id))
    assert opened.database.read_now(lambda db: db.scalar(select(func.count()).select_from(tables.runs))) == 0
