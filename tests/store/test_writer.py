"""The writer and the database around it: groups, savepoints, and what a lost database means."""

from __future__ import annotations

import asyncio
import threading
from urllib.parse import quote

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import OperationalError
from tests.store import rows
from tests.store.conftest import Opened

from flowloom import errors
from flowloom.store import tables, writer
from flowloom.store.database import Database

LOST = OperationalError("SELECT 1", {}, ConnectionError("gone"))


def adding(name):
    return lambda connection: rows.add_company(connection, name)


def failing(name, error):
    def work(connection):
        rows.add_company(connection, name)
        raise error

    return work


def names(opened):
    return opened.database.read_now(
        lambda db: list(db.scalars(select(tables.companies.c.name).order_by(tables.companies.c.id)))
    )


class Gate:
    """Holds the writer in one job, so that what is handed over meanwhile becomes one group."""

    def __init__(self, database):
        self._open = threading.Event()
        self._job = asyncio.ensure_future(database.write_grouped(lambda _: self._open.wait(10)))

    async def __aenter__(self):
        await asyncio.sleep(0.01)

    async def __aexit__(self, *_):
        await asyncio.sleep(0)
        self._open.set()
        await self._job


async def handed_over_together(opened: Opened, *work):
    async with Gate(opened.database):
        waiting = [asyncio.ensure_future(opened.database.write_grouped(one)) for one in work]
    return await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_failing_function_rolls_back_alone(opened):
    conflict = errors.Conflict("no")
    results = await handed_over_together(opened, adding("a"), failing("b", conflict), adding("c"))
    assert (type(results[0]), results[1], type(results[2])) == (int, conflict, int)
    assert names(opened) == ["First", "a", "c"]


async def test_a_statement_that_fails_spoils_nothing_else(opened):
    results = await handed_over_together(opened, adding("a"), adding(None), adding("c"))
    assert [isinstance(result, Exception) for result in results] == [False, True, False]
    assert names(opened) == ["First", "a", "c"]


async def test_a_future_resolves_after_the_commit(opened):
    told: list[bool] = []
    loop = asyncio.get_running_loop()

    def before_commit(connection):
        # The loop has dealt with all that it was told before.
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result()
        told.append(waiter.done())

    event.listen(opened.database._write_engine, "commit", before_commit)
    for name in "abc":
        waiter = opened.database._writer.submit(adding(name))
        await waiter
        assert names(opened)[-1] == name
    assert told == [False] * 3


async def test_a_lost_database_fails_the_group_as_busy_and_keeps_nothing_of_it(opened):
    results = await handed_over_together(opened, adding("a"), failing("b", LOST), adding("c"))
    assert [type(result) for result in results] == [errors.Busy] * 3
    assert names(opened) == ["First"]
    await opened.database.write_grouped(adding("d"))
    assert names(opened) == ["First", "d"]


async def test_what_could_not_be_written_is_tried_on_another_connection_and_said_until_it_works(opened):
    used = []

    def use(connection):
        used.append(connection.connection.dbapi_connection)

    await opened.database.write_grouped(use)
    await opened.database.write_grouped(use)
    await handed_over_together(opened, failing("a", LOST))
    assert [fault.startswith("the database cannot be written") for fault in opened.database.faults()] == [
        True
    ]
    await opened.database.write_grouped(use)
    assert opened.database.faults() == []
    assert used[0] is used[1] is not used[2]


async def test_a_group_has_a_limit(opened):
    commits = []
    event.listen(opened.database._write_engine, "commit", lambda _: commits.append(1))
    await handed_over_together(opened, *(adding(str(number)) for number in range(writer.GROUP_LIMIT * 2)))
    assert len(commits) == 3
    assert names(opened) == ["First", *map(str, range(writer.GROUP_LIMIT * 2))]


async def test_a_waiter_that_left_disturbs_nobody(opened):
    async with Gate(opened.database):
        left = asyncio.ensure_future(opened.database.write_grouped(adding("left")))
        stays = asyncio.ensure_future(opened.database.write_grouped(adding("stays")))
        await asyncio.sleep(0)
        left.cancel()
    await stays
    assert names(opened) == ["First", "left", "stays"]


def test_closing_finishes_what_was_handed_over(database_url):
    database = Database(database_url)

    async def hand_over():
        return [asyncio.ensure_future(database.write_grouped(adding(str(number)))) for number in range(20)]

    async def main():
        waiting = await hand_over()
        await asyncio.sleep(0)
        await asyncio.to_thread(database.close)
        await asyncio.gather(*waiting)

    asyncio.run(main())
    again = Database(database_url)
    assert again.read_now(lambda db: db.scalar(select(func.count()).select_from(tables.companies))) == 20
    again.close()


async def test_a_connection_cut_by_the_server_is_busy_and_the_next_write_works(postgres_url, opened):
    if opened.database.is_sqlite:
        return

    def cut(connection):
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(errors.Busy, match="try again"):
        await opened.database.write_grouped(cut)
    with pytest.raises(errors.Busy):
        opened.database.write_now(cut)
    with pytest.raises(errors.Busy):
        await opened.database.read(cut)
    await opened.database.write_grouped(adding("a"))
    assert names(opened) == ["First", "a"]


async def test_no_database_is_busy_for_reads_and_writes(tmp_path):
    for url in (f"sqlite+pysqlite:///{tmp_path}", "postgresql+psycopg://x@127.0.0.1:1/none"):
        database = Database(url)
        with pytest.raises(errors.Busy):
            await database.read(lambda db: db.execute(text("SELECT 1")))
        with pytest.raises(errors.Busy):
            await database.write(lambda db: db.execute(text("SELECT 1")))
        with pytest.raises(errors.Busy):
            await database.write_grouped(lambda db: db.execute(text("SELECT 1")))
        database.close()


def test_a_reader_cannot_write(tmp_path, sqlite_template):
    path = tmp_path / "a # b%20.db"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite+pysqlite:///{quote(str(path))}")
    with pytest.raises(errors.Busy):
        database.read_now(rows.add_company)
    assert database.write_now(rows.add_company) == 1
    assert database.read_now(lambda db: db.scalar(select(func.count()).select_from(tables.companies))) == 1
    database.close()
