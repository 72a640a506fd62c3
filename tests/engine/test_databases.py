"""Databases as connectors reach them: real servers, pages, types, transactions, and what is refused."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests import databases, mariadb
from tests.databases import Database

from flowloom.engine import sql
from flowloom.steps import contract

PROTOCOLS = ["sqlite", "postgresql", "mysql"]
TABLE = "CREATE TABLE orders (id INTEGER PRIMARY KEY, name VARCHAR(200), total DECIMAL(12,2))"
INSERT = "INSERT INTO orders (id, name, total) VALUES (:id, :name, :total)"


def port_of(protocol: str, request: pytest.FixtureRequest) -> int:
    fixtures = {"postgresql": "postgres_port", "mysql": "mariadb_port"}
    return request.getfixturevalue(fixtures[protocol]) if protocol in fixtures else 0


@pytest.fixture(params=PROTOCOLS)
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty table of orders in each kind of database."""
    async for opened in opening(request.param, port_of(request.param, request), tmp_path):
        yield opened


@pytest.fixture
async def postgres(postgres_port: int, tmp_path: Path) -> AsyncIterator[Database]:
    async for opened in opening("postgresql", postgres_port, tmp_path):
        yield opened


@pytest.fixture
async def mysql(mariadb_port: int, tmp_path: Path) -> AsyncIterator[Database]:
    async for opened in opening("mysql", mariadb_port, tmp_path):
        yield opened


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Database]:
    async for opened in opening("sqlite", 0, tmp_path):
        yield opened


async def opening(protocol: str, port: int, directory: Path) -> AsyncIterator[Database]:
    systems = databases.open_systems(directory)
    database = Database(systems, databases.reached(protocol, port))
    await database.execute("DROP TABLE IF EXISTS orders")
    await database.execute(TABLE)
    yield database
    systems.close()


def record(id: int, name: Any = "x", total: Any = 1.5) -> dict[str, Any]:
    return {"id": id, "name": name, "total": total, "not_used": {}}


async def refused(work: Any, *, passing: bool = False) -> contract.RequestFailed:
    with pytest.raises(contract.RequestFailed) as caught:
        await work
    assert caught.value.passing is passing, caught.value.why
    assert databases.PASSWORD not in caught.value.why
    assert mariadb.PASSWORD not in caught.value.why
    return caught.value


async def test_pages_of_rows(shop: Database) -> None:
    assert await shop.execute(INSERT, *(record(id) for id in range(5))) == 5
    statement = "SELECT id FROM orders WHERE id >= :least ORDER BY id;"
    pages = [await shop.query(statement, skip=skip, limit=2, least=1) for skip in (0, 2, 4)]
    assert [([row["id"] for row in page.rows], page.is_last) for page in pages] == [
        ([1, 2], False),
        ([3, 4], True),
        ([], True),
    ]


@pytest.mark.parametrize("name", ["'; DROP TABLE orders; --", "\\", "\\'", "%s %(a)s :id", "ä€😀", "", None])
async def test_a_value_is_never_read_as_a_statement(shop: Database, name: str | None) -> None:
    await shop.execute(INSERT, record(1, name))
    assert await shop.rows("SELECT name FROM orders WHERE id = :id", id=1) == [{"name": name}]
    found = await shop.rows("SELECT id FROM orders WHERE name = :name OR :name IS NULL", name=name or "")
    assert found == ([{"id": 1}] if name is not None else [])


async def test_a_payload_is_written_whole_or_not_at_all(shop: Database) -> None:
    await shop.execute(INSERT, record(3))
    error = await refused(shop.execute(INSERT, record(1), record(2), record(3)))
    assert error.error_class == "rejected"
    assert await shop.rows("SELECT id FROM orders") == [{"id": 3}]


async def test_a_receive_cannot_write(shop: Database) -> None:
    for statement in ("DELETE FROM orders", "DROP TABLE orders"):
        await shop.execute(INSERT, record(1)) if statement.startswith("DELETE") else None
        await refused(shop.query(statement))
    assert await shop.rows("SELECT id FROM orders") == [{"id": 1}]


async def test_a_name_without_a_parameter(shop: Database) -> None:
    for work in (shop.query("SELECT :a"), shop.execute(INSERT, record(1), {"id": 2})):
        assert "which is not among its parameters" in (await refused(work)).why


async def test_a_page_that_is_too_large_is_refused_before_it_is_in_memory(postgres: Database) -> None:
    """Rows are asked for together only while they are small."""
    rows = "SELECT repeat('x', 1000000) AS text FROM generate_series(1, {count})"
    assert len((await postgres.query(rows.format(count=20))).rows) == 20
    before = psutil.Process().memory_info().rss
    assert "make page_size smaller" in (await refused(postgres.query(rows.format(count=2000)))).why
    assert psutil.Process().memory_info().rss - before < 150_000_000


@pytest.mark.parametrize(("size", "expected"), [(0, 500), (1000, 500), (1_000_000, 4), (30_000_000, 1)])
def test_how_many_rows_are_asked_for_together(size: int, expected: int) -> None:
    page = sql.Page(["text"], 2000)
    assert page.at_once == 10
    page.add([["x" * size]])
    assert page.at_once == expected
    few = sql.Page(["text"], 2)
    assert few.at_once == 3
    few.add([["x"]])
    assert few.at_once == 2


async def test_columns_of_one_name(shop: Database) -> None:
    await shop.execute(INSERT, record(1))
    assert "two columns 'id'" in (await refused(shop.query("SELECT id, name, id FROM orders"))).why


async def test_lists_and_objects_are_bound_as_json(shop: Database) -> None:
    await shop.execute(INSERT, record(1, {"a": [1, "ä"]}))
    assert await shop.rows("SELECT name FROM orders") == [{"name": '{"a":[1,"ä"]}'}]


async def test_types_of_postgresql(postgres: Database) -> None:
    (row,) = await postgres.rows(
        "SELECT 1.50::numeric AS price, 12345678901234567890.5::numeric AS huge, 7::numeric AS whole, "
        "'NaN'::float8 AS nan, DATE '2026-03-02' AS day, TIMESTAMPTZ '2026-03-02 10:00Z' AS at, "
        "TIME '10:30' AS time, INTERVAL '90 minutes' AS span, '\\x00ff'::bytea AS raw, "
        "'6f1c2d3e-0000-4000-8000-000000000001'::uuid AS uuid, ARRAY[1.5::numeric, 2.5] AS list, "
        "'{\"a\": [1]}'::jsonb AS json, true AS flag, int4range(1, 3) AS range, '10.0.0.1'::inet AS address"
    )
    at = row.pop("at")
    assert row == {
        "price": 1.5,
        "huge": "12345678901234567890.5",
        "whole": 7,
        "nan": "nan",
        "day": "2026-03-02",
        "time": "10:30:00",
        "span": "PT5400S",
        "raw": "AP8=",
        "uuid": "6f1c2d3e-0000-4000-8000-000000000001",
        "list": [1.5, 2.5],
        "json": {"a": [1]},
        "flag": True,
        "range": "[1, 3)",
        "address": "10.0.0.1",
    }
    assert at.startswith("2026-03-02T10:00:00")


async def test_instants_that_python_has_none_of(postgres: Database) -> None:
    (row,) = await postgres.rows(
        "SELECT 'infinity'::timestamptz AS ever, '-infinity'::date AS never, TIMESTAMP '2026-03-02 10:00' AS plain, "
        "'0044-03-15 BC'::date AS ides, NULL::timestamptz AS none"
    )
    assert row == {
        "ever": "infinity",
        "never": "-infinity",
        "plain": "2026-03-02T10:00:00",
        "ides": "0044-03-15 BC",
        "none": None,
    }


async def test_types_of_mysql(mysql: Database) -> None:
    (row,) = await mysql.rows(
        "SELECT CAST(1.50 AS DECIMAL(9,2)) AS price, CAST(18446744073709551615 AS UNSIGNED) AS huge, "
        "DATE '2026-03-02' AS day, TIMESTAMP '2026-03-02 10:00:00.5' AS at, TIME '10:30:00' AS time, "
        "CAST(x'00ff' AS BINARY) AS raw, NULL AS nothing, 1e0 AS real_number"
    )
    assert row == {
        "price": 1.5,
        "huge": "18446744073709551615",
        "day": "2026-03-02",
        "at": "2026-03-02T10:00:00.500000",
        "time": "PT37800S",
        "raw": "AP8=",
        "nothing": None,
        "real_number": 1.0,
    }


async def test_types_of_sqlite(sqlite: Database) -> None:
    assert await sqlite.rows(
        "SELECT 1 AS a, 1.5 AS b, x'00ff' AS c, 9e999 AS d, CAST(x'ff' AS TEXT) AS e"
    ) == [{"a": 1, "b": 1.5, "c": "AP8=", "d": "inf", "e": "�"}]


SLOW = {
    "postgresql": "SELECT pg_sleep(20)",
    "mysql": "SELECT SLEEP(20)",
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
}


async def test_a_statement_that_takes_too_long_is_cut_off(shop: Database) -> None:
    statement = SLOW[shop.connection.protocol]
    began = time.monotonic()
    error = await refused(shop.execute(statement, timeout_seconds=0.3), passing=True)
    assert error.error_class == "timeout"
    assert time.monotonic() - began < 5


async def test_a_stopped_statement_lets_go_of_its_thread(shop: Database) -> None:
    running = asyncio.create_task(shop.execute(SLOW[shop.connection.protocol]))
    await asyncio.sleep(0.2)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    threads = shop.systems._threads._pool
    await asyncio.wait_for(asyncio.to_thread(threads.shutdown, wait=True), 5)


@pytest.mark.parametrize("protocol", ["postgresql", "mysql"])
async def test_whoever_may_not_log_in(protocol: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    wrong = databases.reached(protocol, port_of(protocol, request), password="wrong-s3cret")
    database = Database(databases.open_systems(tmp_path), wrong)
    error = await refused(database.query("SELECT 1"))
    assert error.error_class == "authentication"
    assert "wrong-s3cret" not in error.why


@pytest.mark.parametrize("protocol", ["postgresql", "mysql"])
async def test_nobody_listens(protocol: str, tmp_path: Path) -> None:
    database = Database(databases.open_systems(tmp_path), databases.reached(protocol, mariadb.free_port()))
    await refused(database.query("SELECT 1"), passing=True)


@pytest.mark.parametrize("protocol", ["postgresql", "mysql"])
@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "0x7f.1", "/tmp"])
async def test_an_address_that_is_not_allowed(protocol: str, host: str, tmp_path: Path) -> None:
    systems = databases.open_systems(tmp_path, allow=())
    await refused(Database(systems, databases.reached(protocol, 1, host=host)).query("SELECT 1"))


@pytest.fixture(params=["postgresql", "mysql"])
async def tls_place(request: pytest.FixtureRequest, certificate: Path) -> AsyncIterator[tuple[str, int]]:
    port = port_of(request.param, request)
    if request.param == "mysql":
        yield "mysql", port
        return
    async with databases.postgres_tls(port, certificate) as door:
        yield "postgresql", door


async def test_tls_checks_the_certificate_and_the_name(
    tls_place: tuple[str, int], tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    systems = databases.open_systems(tmp_path)
    database = Database(systems, databases.reached(*tls_place, tls=True))
    assert (await refused(database.query("SELECT 1"))).error_class == "authentication"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert await database.rows("SELECT 1 AS one") == [{"one": 1}]

    async def reachable(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    systems._reachable = reachable
    elsewhere = databases.reached(*tls_place, tls=True, host="db.example.com")
    assert (await refused(Database(systems, elsewhere).query("SELECT 1"))).error_class == "authentication"


@pytest.mark.parametrize(
    "statement",
    [
        "ATTACH DATABASE '{other}' AS other",
        "VACUUM INTO '{other}'",
        "SELECT load_extension('x')",
        "PRAGMA journal_mode = WAL",
        "PRAGMA writable_schema = ON",
        "COMMIT",
        "SAVEPOINT a",
    ],
)
async def test_sqlite_lets_nothing_out(sqlite: Database, tmp_path: Path, statement: str) -> None:
    other = tmp_path / "other.db"
    await refused(sqlite.execute(statement.format(other=other)))
    await refused(sqlite.query(statement.format(other=other)))
    assert not other.exists()


async def test_what_sqlite_says_ends_once(sqlite: Database) -> None:
    failed = await refused(sqlite.query("SELECT 1; SELECT 2"))
    assert failed.why.endswith("one statement at a time.")
    assert not failed.why.endswith("..")


@pytest.mark.parametrize("name", ["../flowloom.db", "link.db", "hard.db", ".hidden", "a/b.db", "own.db-wal"])
async def test_a_file_that_sqlite_must_not_touch(tmp_path: Path, name: str) -> None:
    systems = databases.open_systems(tmp_path)
    own = tmp_path / "flowloom.db"
    sqlite3.connect(own).close()
    own.touch()
    (tmp_path / "files").mkdir()
    (tmp_path / "files/link.db").symlink_to(tmp_path / "elsewhere.db")
    (tmp_path / "files/hard.db").hardlink_to(own)
    (tmp_path / "flowloom.db-wal").touch()
    (tmp_path / "files/own.db-wal").hardlink_to(tmp_path / "flowloom.db-wal")
    database = Database(systems, databases.connection("sqlite", file=name))
    for work in (database.query("SELECT 1"), database.execute("CREATE TABLE a (b)")):
        assert (await refused(work)).error_class == "refused"
    assert own.stat().st_size == 0


async def test_a_receive_makes_no_file(tmp_path: Path) -> None:
    database = Database(databases.open_systems(tmp_path), databases.connection("sqlite", file="new.db"))
    assert "There is no file new.db" in (await refused(database.query("SELECT 1"))).why
    assert not (tmp_path / "files").exists()


async def test_a_locked_sqlite_file_is_tried_again(sqlite: Database, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "files/shop.db", isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        await refused(sqlite.execute(INSERT, record(1), timeout_seconds=0.2), passing=True)


def test_no_driver_is_loaded_before_it_is_needed() -> None:
    script = (
        "import sys, flowloom.bootstrap as _; print({'asyncssh', 'psycopg', 'pymysql'} & set(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert said.strip() == "set()"


async def test_a_page_that_is_too_large(sqlite: Database) -> None:
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 80) "
    error = await refused(sqlite.query(numbers + "SELECT zeroblob(1000000) AS b FROM n"))
    assert "make page_size smaller" in error.why
