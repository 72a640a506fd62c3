"""What a run's secrets leave in what is kept of it: nothing, however a server gives them back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import update
from tests.engine.test_effects import FAILURE, SUCCESS
from tests.remote import Remote, Seen
from tests.store.test_redaction import WAYS
from tests.world import Flow, World

from flowloom.store import tables

SECRET = 'gehéim/"+wörd'
PLAIN = "abc+defghijk"


async def connect(server: World, remote: Remote, secret: str) -> int:
    """A connection to the remote with a secret that a header carries."""
    auth = {"type": "header", "name": "X-Key", "value": secret}
    shop = {"name": "Shop", "base_url": remote.url(""), "allowed_hosts": ["127.0.0.1"], "auth": auth}
    id: int = (await server.post("/connections", json=shop)).data["id"]
    return id


def echo(text: str, content_type: str = "text/plain", charset: str = "utf-8") -> Callable[[Seen], Any]:
    async def answer(seen: Seen) -> web.Response:
        return web.Response(body=text.encode(charset), headers={"content-type": content_type})

    return answer


async def bodies(server: World, run_id: int) -> str:
    """Everything that is kept of a run's payloads, read as the API gives it."""
    found = (await server.get("/payload-metadata", query={"filter[flow_run_id]": run_id})).data
    answers = [await server.get(f"/payload-metadata/{one['id']}/download") for one in found]
    return json.dumps(found) + "".join(answer.body.decode() for answer in answers)


async def using(
    server: World, remote: Remote, secret: str, *steps: dict[str, Any], read: str = "json"
) -> Flow:
    """A flow that goes on with what the remote answers, first without the connection."""
    connection = await connect(server, remote, secret)
    return await server.flow(
        remote.send("/first", response_format=read),
        remote.send("/use", response_format=read, connection_id=connection),
        *steps,
    )


@pytest.mark.parametrize("way", WAYS)
async def test_a_secret_that_comes_back_in_any_form_is_kept_in_none(
    sqlite_server: World, remote: Remote, way: str
):
    server = sqlite_server
    remote.answer = echo(json.dumps({"got": f"it is {WAYS[way](SECRET)}"}), "application/json")
    flow = await using(server, remote, SECRET)
    run = await flow.run({})
    kept = await bodies(server, run["id"])
    assert run["status"] == SUCCESS
    assert "[redacted]" in kept
    assert WAYS[way](SECRET) not in kept


async def test_json_may_escape_any_character(sqlite_server: World, remote: Remote):
    remote.answer = echo('{"got": "\\u0061bc\\u002Bdefghijk"}', "application/json")
    flow = await using(sqlite_server, remote, PLAIN)
    run = await flow.run({})
    assert PLAIN not in await bodies(sqlite_server, run["id"])


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "iso-8859-1"])
async def test_a_text_in_any_character_set(sqlite_server: World, remote: Remote, charset: str):
    remote.answer = echo(f"it is {SECRET}", f"text/plain; charset={charset}", charset)
    flow = await using(sqlite_server, remote, SECRET, read="text")
    run = await flow.run({})
    kept = await bodies(sqlite_server, run["id"])
    assert "it is [redacted]" in kept
    assert SECRET not in kept


async def test_a_step_without_a_connection_gets_nothing_back_either(server: World, remote: Remote):
    """Before the secret was used by this run too: a server may tell what an earlier run has sent it."""
    remote.answer = echo(json.dumps({"key": PLAIN}), "application/json")
    flow = await using(server, remote, PLAIN, remote.send("/after", response_format="json"))
    run = await flow.run({})
    assert [seen.path for seen in remote.seen] == ["/first", "/use", "/after"]
    assert PLAIN not in await bodies(server, run["id"])
    assert all(PLAIN not in seen.content.decode() for seen in remote.seen)


async def test_a_run_that_is_taken_up_again_knows_its_secrets(server: World, remote: Remote):
    remote.answer = echo(json.dumps({"key": PLAIN}), "application/json")
    flow = await using(
        server,
        remote,
        PLAIN,
        {"microservice": "delay", "config": {"seconds": 60}},
        remote.send("/after", response_format="json"),
    )
    run = await flow.run({})
    assert run["status"] == 1
    server.clock.advance(seconds=61)
    await server.work()
    assert remote.seen[-1].path == "/after"
    assert PLAIN not in await bodies(server, run["id"])


async def test_a_connection_that_is_gone_fails_its_own_step_only(
    server: World, remote: Remote, monkeypatch: Any
):
    flow = await using(server, remote, PLAIN)
    broken = server.platform.vault.seal(b"{}", context="elsewhere")
    server.platform.database.write_now(
        lambda db: db.execute(update(tables.connections).values(secret=broken))
    )
    run = await flow.run({})
    assert run["status"] == FAILURE
    assert "altered or belongs elsewhere" in run["summary"]["error"]["message"]
    assert [seen.path for seen in remote.seen] == ["/first"]
