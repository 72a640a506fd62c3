"""Flows that work in databases and on file servers, from the API to the real server and back."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests import databases, files
from tests.engine.test_catch import PARTIAL, SUCCESS, add_try, hang_on
from tests.engine.test_retry import retry
from tests.remote import Remote
from tests.world import World

from flowloom.domain import run

PORTS = {"postgresql": "postgres_port", "mysql": "mariadb_port"}


async def connect(server: World, fields: dict[str, Any]) -> int:
    answer = await server.post("/connections", json={"name": "Shop", **fields})
    assert answer.status == 200, answer.body
    id: int = answer.data["id"]
    return id


def step(direction: str, connection_id: int, **config: Any) -> dict[str, Any]:
    config = {"direction": direction, "connection_id": connection_id, **config}
    return {"microservice": "connector", "name": direction, "config": config}


async def bodies_of(server: World, remote: Remote, *steps: dict[str, Any], payload: Any = None) -> list[Any]:
    """What comes out of these steps."""
    remote.seen.clear()
    found = await (await server.flow(*steps, remote.send())).run(payload)
    assert found["status"] == run.Status.SUCCESS, found
    return [seen.body if _is_json(seen) else seen.content for seen in remote.seen]


def _is_json(seen: Any) -> bool:
    return "json" in seen.headers["content-type"]


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
async def shop(request: pytest.FixtureRequest, sqlite_server: World) -> int:
    """A connection to a database with an empty table of orders."""
    protocol = request.param
    port = request.getfixturevalue(PORTS[protocol]) if protocol in PORTS else 0
    id = await connect(sqlite_server, databases.fields(protocol, port))
    for statement in (
        "DROP TABLE IF EXISTS orders",
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, name VARCHAR(90), twice VARCHAR(90) UNIQUE)",
    ):
        await (await sqlite_server.flow(step("send", id, sql={"statement": statement}))).run({})
    return id


INSERT = {
    "statement": "INSERT INTO orders (id, name, twice) VALUES (:id, :name, :idempotency_key)",
    "parameters": {"id": "[[payload.id]]", "name": "p-[[payload.name]]"},
}


async def test_records_are_written_and_come_back_in_pages(
    sqlite_server: World, remote: Remote, shop: int
) -> None:
    orders = [{"id": id, "name": f"o'{id}"} for id in range(1, 6)]
    passed = await bodies_of(sqlite_server, remote, step("send", shop, sql=INSERT), payload=orders)
    assert passed == [orders]
    by_rows = {"statement": "SELECT id, name FROM orders ORDER BY id DESC", "page_size": 2}
    pages = await bodies_of(sqlite_server, remote, step("receive", shop, sql=by_rows))
    assert [[row["id"] for row in page] for page in pages] == [[5, 4], [3, 2], [1]]
    assert pages[2] == [{"id": 1, "name": "p-o'1"}]
    by_key = {
        "statement": "SELECT id FROM orders WHERE id > :after AND id <> :but ORDER BY id",
        "parameters": {"but": "[[payload.but]]"},
        "page_size": 2,
        "after": {"column": "id", "start": 1},
    }
    found = await bodies_of(sqlite_server, remote, step("receive", shop, sql=by_key), payload={"but": 3})
    assert [[row["id"] for row in page] for page in found] == [[2, 4], [5]]


async def test_the_rows_are_counted_and_a_payload_may_be_one_record(
    sqlite_server: World, remote: Remote, shop: int
) -> None:
    tell = {"microservice": "map", "config": {"rules": [{"target": "rows", "template": "[[meta.rows]]"}]}}
    update = {
        "statement": "UPDATE orders SET name = 'b' WHERE id <= :most",
        "parameters": {"most": "[[payload.most]]"},
    }
    for payload, rows in (
        ({"id": 1, "name": "a"}, "1"),
        ([{"id": 2, "name": "a"}, {"id": 3, "name": "a"}], "2"),
    ):
        found = await bodies_of(
            sqlite_server, remote, step("send", shop, sql=INSERT), _first(), tell, payload=payload
        )
        assert found == [{"rows": rows}]
    found = await bodies_of(sqlite_server, remote, step("send", shop, sql=update), tell, payload={"most": 2})
    assert found == [{"rows": "2"}]


async def test_a_statement_sees_the_variables_of_its_connection(
    sqlite_server: World, remote: Remote, shop: int
) -> None:
    await sqlite_server.put(f"/connections/{shop}", json={"variables": {"name": "ours"}})
    named = {**INSERT, "parameters": {"id": "[[payload.id]]", "name": "{{name}}"}}
    await (await sqlite_server.flow(step("send", shop, sql=named))).run({"id": 1})
    read = {"statement": "SELECT id, name FROM orders WHERE name = :name", "parameters": {"name": "{{name}}"}}
    found = await bodies_of(sqlite_server, remote, step("receive", shop, sql=read))
    assert found == [[{"id": 1, "name": "ours"}]]


def _first() -> dict[str, Any]:
    return {"microservice": "manual-payload", "config": {"body": {}}}


async def test_a_page_column_that_is_not_there(sqlite_server: World, shop: int) -> None:
    orders = [{"id": id, "name": "x"} for id in range(3)]
    await (await sqlite_server.flow(step("send", shop, sql=INSERT))).run(orders)
    sql = {"statement": "SELECT name FROM orders", "page_size": 1, "after": {"column": "id", "start": 0}}
    found = await (await sqlite_server.flow(step("receive", shop, sql=sql))).run()
    assert "column 'id' is not among those" in found["summary"]["error"]["message"]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("SELECT id FROM orders WHERE id > :after ORDER BY id DESC", "'id' does not rise from row to row"),
        ("SELECT id FROM orders WHERE id >= :after ORDER BY id", "answers rows again"),
        ("SELECT id FROM orders WHERE :after IS NOT NULL ORDER BY id", "answers rows again"),
        ("SELECT id - id % 4 AS id FROM orders WHERE id > :after ORDER BY id", "'id' has a value twice"),
        ("SELECT NULLIF(id, 2) AS id FROM orders WHERE id > :after ORDER BY orders.id", "'id' is NULL"),
        ("SELECT twice AS id FROM orders WHERE twice > :after ORDER BY twice DESC", "answers rows again"),
    ],
)
async def test_a_page_column_that_would_lose_rows(
    sqlite_server: World, remote: Remote, shop: int, statement: str, words: str
) -> None:
    key = {**INSERT, "parameters": {**INSERT["parameters"], "idempotency_key": "k[[payload.id]]"}}
    await (await sqlite_server.flow(step("send", shop, sql=key))).run([{"id": id} for id in range(1, 6)])
    start = "k0" if "twice" in statement else 1
    sql = {"statement": statement, "page_size": 2, "after": {"column": "id", "start": start}}
    found = await (await sqlite_server.flow(step("receive", shop, sql=sql))).run()
    assert words in found["summary"]["error"]["message"]


async def test_a_connection_is_not_used_for_what_it_does_not_speak(sqlite_server: World) -> None:
    database = await connect(sqlite_server, {"protocol": "sqlite", "server": {"file": "a.db"}})
    http = await connect(sqlite_server, {"base_url": "http://127.0.0.1:1"})
    for used, said in (
        (step("receive", database, url="/a"), "speaks sqlite, not HTTP"),
        (step("receive", database, sftp={"path": "/a"}), "speaks sqlite; choose one to a file server"),
        (step("receive", http, sql={"statement": "SELECT 1"}), "speaks http; choose one to a database"),
    ):
        found = await (await sqlite_server.flow(used)).run()
        assert said in found["summary"]["error"]["message"]


async def test_the_own_database_is_out_of_reach(sqlite_server: World) -> None:
    directory = sqlite_server.platform.settings.data_dir
    (directory / "files").mkdir()
    (directory / "files/mine.db").hardlink_to(directory / "flowloom.db")
    id = await connect(sqlite_server, {"protocol": "sqlite", "server": {"file": "mine.db"}})
    used = step("receive", id, sql={"statement": "SELECT * FROM users"})
    found = await (await sqlite_server.flow(used)).run()
    assert "mine.db cannot be used" in found["summary"]["error"]["message"]


async def test_a_flow_that_stops_does_not_write(sqlite_server: World) -> None:
    id = await connect(sqlite_server, {"protocol": "sqlite", "server": {"file": "new.db"}})
    for statement in ("CREATE TABLE a (b)", "INSERT INTO a VALUES (:missing)"):
        await (await sqlite_server.flow(step("send", id, sql={"statement": statement}))).run({})
    with sqlite3.connect(sqlite_server.platform.settings.data_dir / "files/new.db") as made:
        assert made.execute("SELECT count(*) FROM a").fetchone() == (0,)


@pytest.fixture
async def sftp(tmp_path: Path) -> AsyncIterator[files.FileServer]:
    (tmp_path / "served/in").mkdir(parents=True)
    (tmp_path / "served/done").mkdir()
    async with files.serving(tmp_path / "served") as opened:
        yield opened


async def test_each_file_is_a_payload_and_is_moved_when_it_is_recorded(
    sqlite_server: World, remote: Remote, sftp: files.FileServer
) -> None:
    id = await connect(sqlite_server, sftp.fields)
    for name, content in (
        ("a.json", '{"a": 1}'),
        ("b.csv", "x,y\r\n1,2\r\n"),
        ("c.bin", b"\x00\xff"),
        ("d.json", "[]"),
    ):
        sftp.put(f"in/{name}", content)
    receive = step("receive", id, sftp={"path": "/in", "action": "move", "move_to": "/{{where}}"})
    set_where = {"microservice": "set-variables", "config": {"variables": {"where": "done"}}}
    found = await bodies_of(sqlite_server, remote, set_where, receive)
    assert found == [{"a": 1}, b"x,y\r\n1,2\r\n", b"\x00\xff", []]
    assert (sftp.names("in"), sftp.names("done")) == ([], ["a.json", "b.csv", "c.bin", "d.json"])


async def test_a_file_that_cannot_be_read_stays(sqlite_server: World, sftp: files.FileServer) -> None:
    id = await connect(sqlite_server, sftp.fields)
    sftp.put("in/a.txt", "fine")
    sftp.put("in/b.json", "{")
    receive = step("receive", id, sftp={"path": "/in", "action": "delete"})
    found = await (await sqlite_server.flow(receive)).run()
    assert "/in/b.json: the answer is not valid JSON" in found["summary"]["error"]["message"]
    assert sftp.names("in") == ["b.json"]


async def test_files_before_the_one_that_cannot_be_read_go_on_where_that_is_caught(
    sqlite_server: World, remote: Remote, sftp: files.FileServer
) -> None:
    id = await connect(sqlite_server, sftp.fields)
    for number in range(5):
        sftp.put(f"in/f{number}.json", "{" if number == 2 else str(number))
    flow = await sqlite_server.flow(deploy=False)
    guard = await add_try(flow, (await sqlite_server.get(flow.graph)).data["steps"][0]["id"])
    receive = step("receive", id, sftp={"path": "/in", "action": "delete"})
    received = await hang_on(flow, guard, "try", receive)
    await sqlite_server.post(f"{flow.graph}/steps", json={**remote.send("/to"), "parent_id": received})
    await flow.deploy()
    run = await flow.run()
    assert (run["status"], remote.bodies("/to")) == (PARTIAL, [0, 1])
    assert sftp.names("in") == ["f2.json", "f3.json", "f4.json"]
    sftp.put("in/f2.json", "2")
    assert (await retry(sqlite_server, run["id"]))["status"] == SUCCESS
    assert (remote.bodies("/to"), sftp.names("in")) == ([0, 1, 2, 3, 4], [])


async def test_more_files_than_are_listed_at_once(
    sqlite_server: World, remote: Remote, sftp: files.FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowloom.steps.file_server._LISTED_AT_ONCE", 2)
    id = await connect(sqlite_server, sftp.fields)
    for number in range(5):
        sftp.put(f"in/{number}.json", str(number))
    for action, left in (("keep", 5), ("delete", 0)):
        receive = step("receive", id, sftp={"path": "/in", "pattern": "*.json", "action": action})
        assert await bodies_of(sqlite_server, remote, receive) == [0, 1, 2, 3, 4]
        assert len(sftp.names("in")) == left


async def test_each_payload_is_written_to_a_file(sqlite_server: World, sftp: files.FileServer) -> None:
    id = await connect(sqlite_server, sftp.fields)
    send = step("send", id, sftp={"path": "/in", "file_name": "order-[[payload.id]].json"})
    flow = await sqlite_server.flow(send)
    assert (await flow.run({"id": 7}))["status"] == run.Status.SUCCESS
    assert (sftp.directory / "in/order-7.json").read_bytes() == b'{"id":7}'
    found = await flow.run({"id": "../../x"})
    assert "is no file name" in found["summary"]["error"]["message"]
    assert sftp.names("in") == ["order-7.json"]


async def test_a_body_of_its_own(sqlite_server: World, sftp: files.FileServer) -> None:
    id = await connect(sqlite_server, sftp.fields)
    send = step("send", id, sftp={"path": "/in", "file_name": "a.txt"}, body="id;[[payload.id]]")
    await (await sqlite_server.flow(send)).run({"id": 7})
    assert (sftp.directory / "in/a.txt").read_text() == "id;7"
