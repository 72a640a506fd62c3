"""Testing a connection: what is said of it, over every protocol, and that no secret comes back."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests import databases, files
from tests.remote import Remote, Seen
from tests.world import OTHER_KEY, World

TOKEN = "s3cret-token-of-the-shop"
BEARER = {"auth": {"type": "bearer", "token": TOKEN}}


async def made(world: World, fields: dict[str, Any]) -> str:
    answer = await world.post("/connections", json={"name": "Shop", **fields})
    assert answer.status == 200, answer.body
    return f"/connections/{answer.data['id']}/test"


async def told(world: World, fields: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await world.post(await made(world, fields))).data
    assert found.pop("duration_ms") >= 0
    return found


async def test_one_request_goes_to_the_base_url_with_the_credentials(server: World, remote: Remote):
    fields = {"base_url": remote.url("/api"), "headers": {"X-Shop": "eu"}, **BEARER}
    assert await told(server, fields) == {"result": "works", "message": "It answered 200.", "status": 200}
    [seen] = remote.seen
    assert (seen.method, seen.path) == ("GET", "/api")
    assert (seen.headers["authorization"], seen.headers["x-shop"]) == (f"Bearer {TOKEN}", "eu")
    assert (await server.get("/flow-runs")).data == []


@pytest.mark.parametrize(
    ("status", "auth", "result", "words"),
    [
        (401, BEARER, "failed", "does not take these credentials"),
        (403, {}, "failed", "wants credentials"),
        (404, BEARER, "reached", "tells nothing about the credentials"),
        (503, BEARER, "failed", "not well"),
    ],
)
async def test_what_it_answers_is_judged(
    sqlite_server: World, remote: Remote, status: int, auth: dict[str, Any], result: str, words: str
):
    remote.answers(status)
    found = await told(sqlite_server, {"base_url": remote.url(), **auth})
    assert (found["result"], found["status"]) == (result, status)
    assert words in found["message"]


async def test_a_secret_that_is_sent_back_is_not_shown(server: World, remote: Remote):
    async def echo(seen: Seen) -> web.Response:
        return web.json_response({"got": seen.headers["authorization"]}, status=401)

    remote.answer = echo
    found = await told(server, {"base_url": remote.url(), **BEARER})
    assert "Bearer" in found["answer"]
    assert TOKEN not in str(found)


async def test_what_cannot_be_reached_says_so(sqlite_server: World):
    found = await told(sqlite_server, {"base_url": "http://127.0.0.1:1/"})
    assert found["result"] == "failed"
    assert "127.0.0.1" in found["message"]
    found = await told(sqlite_server, {"base_url": "http://10.1.2.3/"})
    assert (found["result"], "status" in found) == ("failed", False)


async def test_a_file_server_lets_in_who_may(sqlite_server: World, tmp_path: Path):
    (tmp_path / "served").mkdir()
    async with files.serving(tmp_path / "served") as sftp:
        found = await told(sqlite_server, sftp.fields)
        assert (found["result"], found["message"][:19]) == ("works", "The file server let")
        wrong = {**sftp.fields, "server": {**sftp.fields["server"], "password": "s3cret-of-nobody"}}
        found = await told(sqlite_server, wrong)
        assert found["result"] == "failed"
        assert "does not let" in found["message"]
        assert "s3cret" not in str(found)


@pytest.mark.parametrize("protocol", ["sqlite", "postgresql", "mysql"])
async def test_a_database_lets_in_who_may(
    sqlite_server: World, protocol: str, request: pytest.FixtureRequest
):
    ports = {"postgresql": "postgres_port", "mysql": "mariadb_port"}
    port = request.getfixturevalue(ports[protocol]) if protocol in ports else 0
    fields = databases.fields(protocol, port)
    if protocol == "sqlite":
        assert "no file" in (await told(sqlite_server, fields))["message"]
        directory = sqlite_server.platform.settings.data_dir / "files"
        directory.mkdir(exist_ok=True)
        sqlite3.connect(directory / fields["server"]["file"]).close()
    assert (await told(sqlite_server, fields))["result"] == "works"
    if protocol in ports:
        wrong = {**fields, "server": {**fields["server"], "password": "s3cret-of-nobody"}}
        found = await told(sqlite_server, wrong)
        assert found["result"] == "failed"
        assert "s3cret" not in str(found)


async def test_it_is_for_managers_of_the_company(server: World, remote: Remote):
    path = await made(server, {"base_url": remote.url()})
    assert (await server.post(path, key=OTHER_KEY)).status == 404
    assert (await server.post(path, key=await server.token("user"))).status == 403
    assert remote.seen == []
