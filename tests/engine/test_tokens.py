"""OAuth2 connections: tokens are fetched once, shared, renewed, and never shown; a rotated one survives a restart."""

from __future__ import annotations

import asyncio
import base64
from typing import Any
from urllib.parse import parse_qs, quote, quote_from_bytes, quote_plus

import msgspec
import pytest
from aiohttp import web
from sqlalchemy import select
from tests.engine.test_effects import begin, get_run
from tests.remote import Remote, Seen
from tests.world import World

from flowloom.engine import tokens
from flowloom.store import connections, tables

SUCCESS, FAILURE = 2, 3
CLIENT = {"type": "oauth2_client_credentials", "client_id": "flowloom", "client_secret": "c1ient-s3cret"}
REFRESH = {"type": "oauth2_refresh_token", "client_id": "flowloom", "refresh_token": "first-refresh-token"}


class Login:
    """A system with a token endpoint: access tokens are numbered, and refresh tokens rotate."""

    def __init__(self, remote: Remote) -> None:
        self.remote = remote
        self.given = 0
        self.refused: set[str] = set()
        self.refresh_token = "first-refresh-token"
        self.expires_in: Any = 3600
        self.arrived = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        remote.answer = self.answer

    @property
    def current(self) -> str:
        return f"access-token-{self.given}"

    @property
    def asked(self) -> list[dict[str, str]]:
        """The forms that the token endpoint was sent."""
        sent = [parse_qs(seen.content.decode()) for seen in self.remote.seen if seen.path == "/token"]
        return [{name: values[0] for name, values in form.items()} for form in sent]

    @property
    def used(self) -> list[str]:
        """The tokens of the calls, in order."""
        return [
            seen.headers["authorization"].removeprefix("Bearer ")
            for seen in self.remote.seen
            if seen.path != "/token"
        ]

    async def answer(self, seen: Seen) -> web.Response:
        if seen.path == "/token":
            self.arrived.set()
            await self.open.wait()
            return self.token(parse_qs(seen.content.decode()))
        sent = seen.headers.get("authorization", "")
        if sent != f"Bearer {self.current}" or self.current in self.refused:
            return web.json_response({"echo": sent}, status=401)
        return web.json_response({"echo": sent})

    def token(self, form: dict[str, list[str]]) -> web.Response:
        made: dict[str, Any] = {"token_type": "bearer"}
        if form["grant_type"] == ["refresh_token"]:
            if form["refresh_token"] != [self.refresh_token]:
                said = {"error": "invalid_grant", "error_description": f"not {form['refresh_token'][0]}"}
                return web.json_response(said, status=400)
            self.refresh_token = made["refresh_token"] = f"refresh-token-{self.given + 1}"
        self.given += 1
        return web.json_response({**made, "access_token": self.current, "expires_in": self.expires_in})


@pytest.fixture
def login(remote: Remote) -> Login:
    return Login(remote)


async def connect(world: World, remote: Remote, auth: dict[str, str]) -> int:
    sent = {"name": "Shop", "base_url": remote.url(), "auth": {"token_url": remote.url("/token"), **auth}}
    answer = await world.post("/connections", json=sent)
    assert answer.status == 200, answer.body
    id: int = answer.data["id"]
    return id


async def sending(world: World, id: int, **config: Any):
    step = {"direction": "send", "url": "/orders", "connection_id": id, **config}
    return await world.flow({"microservice": "connector", "config": step})


async def stored(world: World, id: int) -> connections.Connection:
    found: connections.Connection = await world.platform.database.read(
        connections.load, world.platform.vault, 1, id
    )
    return found


def restart(world: World) -> None:
    """Forget what only this process knows."""
    calls = world.server.duty.dispatcher._executor._around.calls
    calls._tokens._tokens.clear()


async def test_a_token_is_fetched_once_and_shared_by_runs(server: World, remote: Remote, login: Login):
    auth = {**CLIENT, "scope": "orders.write", "audience": "https://shop"}
    flow = await sending(server, await connect(server, remote, auth))
    assert (await flow.run({}))["status"] == SUCCESS
    assert (await flow.run({}))["status"] == SUCCESS
    assert login.used == ["access-token-1", "access-token-1"]
    assert login.asked == [
        {
            "grant_type": "client_credentials",
            "scope": "orders.write",
            "audience": "https://shop",
            "client_id": "flowloom",
            "client_secret": "c1ient-s3cret",
        }
    ]


async def test_client_and_secret_go_into_the_header_where_it_is_asked_for(
    sqlite_server: World, remote: Remote, login: Login
):
    auth = {**CLIENT, "client_secret": "a:b c", "credentials_in": "header"}
    flow = await sending(sqlite_server, await connect(sqlite_server, remote, auth))
    assert (await flow.run({}))["status"] == SUCCESS
    sent = remote.seen[0].headers["authorization"].removeprefix("Basic ")
    assert base64.b64decode(sent) == b"flowloom:a%3Ab+c"
    assert login.asked == [{"grant_type": "client_credentials"}]


async def test_runs_that_need_a_token_at_once_wait_for_one_fetch(
    sqlite_server: World, remote: Remote, login: Login
):
    login.open.clear()
    flow = await sending(sqlite_server, await connect(sqlite_server, remote, CLIENT))
    first = await flow.start({})
    await begin(sqlite_server)
    await login.arrived.wait()
    for _ in range(3):
        await flow.start({})
    await begin(sqlite_server)
    await sqlite_server.post(f"/flow-runs/{first}/stop")
    login.open.set()
    await sqlite_server.settle()
    assert (len(login.asked), login.used) == (1, ["access-token-1"] * 3)


@pytest.mark.parametrize(
    ("expires_in", "passed", "fetches"),
    [(3600, 3539, 1), (3600, 3541, 2), (100, 89, 1), ("100", 91, 2), (None, 10**6, 1), (10**400, 10, 1)],
)
async def test_a_token_is_renewed_shortly_before_it_expires(
    sqlite_server: World, remote: Remote, login: Login, expires_in: Any, passed: int, fetches: int
):
    login.expires_in = expires_in
    flow = await sending(sqlite_server, await connect(sqlite_server, remote, CLIENT))
    await flow.run({})
    sqlite_server.clock.advance(seconds=passed)
    await flow.run({})
    assert len(login.asked) == fetches


async def test_a_token_that_is_refused_is_renewed_once(server: World, remote: Remote, login: Login):
    flow = await sending(server, await connect(server, remote, CLIENT))
    await flow.run({})
    login.refused = {"access-token-1"}
    assert (await flow.run({}))["status"] == SUCCESS
    assert login.used == ["access-token-1", "access-token-1", "access-token-2"]
    login.refused |= {f"access-token-{number}" for number in range(10)}
    run = await flow.run({})
    assert (run["status"], login.used[3:]) == (FAILURE, ["access-token-2", "access-token-3"])
    assert "answered 401" in run["summary"]["error"]["message"]


async def test_a_rotated_refresh_token_is_stored_and_survives_a_restart(
    server: World, remote: Remote, login: Login
):
    id = await connect(server, remote, REFRESH)
    before = await stored(server, id)
    flow = await sending(server, id)
    await flow.run({})
    kept = await stored(server, id)
    assert (kept.secret, kept.updated_at) == ({"refresh_token": "refresh-token-1"}, before.updated_at)
    restart(server)
    assert (await flow.run({}))["status"] == SUCCESS
    assert [form["refresh_token"] for form in login.asked] == ["first-refresh-token", "refresh-token-1"]


async def test_a_token_that_another_process_rotated_meanwhile_is_taken_over(
    server: World, remote: Remote, login: Login, monkeypatch
):
    id = await connect(server, remote, REFRESH)
    flow = await sending(server, id)
    login.refresh_token = "of-the-other-process"

    async def rotated(connection):
        first = await stored(server, id)
        if len(login.asked) == 1:
            await server.platform.database.write(
                connections.rotate, server.platform.vault, first, {"refresh_token": "of-the-other-process"}
            )
        return await stored(server, id)

    calls = server.server.duty.dispatcher._executor._around.calls
    monkeypatch.setattr(calls._tokens, "_stored", rotated)
    assert (await flow.run({}))["status"] == SUCCESS
    assert [form["refresh_token"] for form in login.asked] == ["first-refresh-token", "of-the-other-process"]


async def test_a_rotated_token_does_not_overwrite_an_edit(server: World, remote: Remote, login: Login):
    login.open.clear()
    id = await connect(server, remote, REFRESH)
    flow = await sending(server, id)
    await flow.start({})
    await begin(server)
    await login.arrived.wait()
    server.clock.advance(seconds=1)
    auth = {**REFRESH, "token_url": remote.url("/token"), "refresh_token": "by-hand"}
    assert (await server.put(f"/connections/{id}", json={"auth": auth})).status == 200
    login.open.set()
    await server.settle()
    assert (await stored(server, id)).secret == {"refresh_token": "by-hand"}


async def test_a_refused_client_fails_the_run_at_once_and_names_no_secret(
    server: World, remote: Remote, login: Login
):
    login.refresh_token = "another"
    flow = await sending(server, await connect(server, remote, REFRESH))
    run = await flow.run({})
    assert (run["status"], len(login.asked), login.used) == (FAILURE, 1, [])
    message = run["summary"]["error"]["message"]
    assert message == (
        f"The connection Shop cannot authenticate: {remote.url('/token')} answered 400: "
        "invalid_grant - not [redacted]."
    )


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"access_token": 7}', b'{"access_token": ""}'])
async def test_an_answer_without_a_token_fails(sqlite_server: World, remote: Remote, body: bytes):
    async def answer(seen: Seen) -> web.Response:
        return web.Response(body=body)

    remote.answer = answer
    flow = await sending(sqlite_server, await connect(sqlite_server, remote, CLIENT))
    run = await flow.run({})
    assert run["summary"]["error"]["message"].endswith("/token gave no access token.")
    assert len(remote.seen) == 1


async def test_a_token_endpoint_that_is_down_is_tried_again(
    sqlite_server: World, remote: Remote, login: Login
):
    faults = [503, 429]

    async def answer(seen: Seen) -> web.Response:
        if seen.path == "/token" and faults:
            return web.Response(status=faults.pop())
        return await login.answer(seen)

    remote.answer = answer
    flow = await sending(sqlite_server, await connect(sqlite_server, remote, CLIENT))
    assert (await flow.run({}))["status"] == SUCCESS
    assert len(sqlite_server.slept) == 2


async def test_the_token_endpoint_passes_the_same_door(sqlite_server: World, remote: Remote):
    auth = {**CLIENT, "token_url": "http://169.254.169.254/token"}
    flow = await sending(sqlite_server, await connect(sqlite_server, remote, auth))
    run = await flow.run({})
    assert "cloud metadata" in run["summary"]["error"]["message"]
    assert remote.seen == []


async def test_tokens_are_secrets_of_the_run(sqlite_server: World, remote: Remote, login: Login):
    id = await connect(sqlite_server, remote, CLIENT)
    flow = await sending(sqlite_server, id, response_format="json")
    run = await flow.run({})
    found = (await sqlite_server.get("/payload-metadata", query={"filter[flow_run_id]": run["id"]})).data
    body = await sqlite_server.get(f"/payload-metadata/{found[-1]['id']}/download")
    assert msgspec.json.decode(body.body) == {"echo": "Bearer [redacted]"}


async def test_closing_waits_for_a_token_that_is_on_its_way(server: World, remote: Remote, login: Login):
    id = await connect(server, remote, REFRESH)
    login.open.clear()
    run_id = await (await sending(server, id)).start({})
    await begin(server)
    await login.arrived.wait()
    await server.post(f"/flow-runs/{run_id}/stop")
    await server.settle()
    assert (await get_run(server, run_id))["status"] == 4
    made: tokens.Tokens = server.server.duty.dispatcher._executor._around.calls._tokens
    closing = asyncio.create_task(made.close())
    await asyncio.sleep(0)
    login.open.set()
    await closing
    assert (await stored(server, id)).secret == {"refresh_token": "refresh-token-1"}


async def test_no_secret_of_oauth_is_found_anywhere_in_the_database(
    server: World, remote: Remote, login: Login
):
    """A system that sends back all it was sent: in bodies, headers, URLs, and the words of a refusal."""

    async def leak(seen: Seen) -> web.Response:
        sent = seen.headers.get("authorization", "")
        if seen.path == "/token":
            login.given += 1
            if login.given % 2:
                said = {"error": "invalid", "error_description": f"{seen.content.decode()} {sent}"}
                return web.json_response(said, status=400)
            return web.json_response({"access_token": login.current, "refresh_token": "rotated-r3fresh"})
        if seen.path == "/orders":
            return web.Response(status=307, headers={"Location": f"/{sent.removeprefix('Bearer ')}/x"})
        encoded = [form(sent.encode()) for form in (bytes.hex, base64.b64encode, quote_from_bytes)]
        answer = {"sent": sent, "next": "y", "encoded": str(encoded)}
        return web.json_response(
            answer, headers={"X-Echo": sent}, status=200 if seen.path[-1] == "x" else 422
        )

    remote.answer = leak
    secret = {"client_secret": "c1ient/s3cret+value", "refresh_token": "r3fresh:token value"}
    id = await connect(server, remote, {**REFRESH, **secret, "credentials_in": "header"})
    pages = {"type": "next_url", "url_path": "next"}
    step = {"direction": "receive", "url": "/orders", "connection_id": id, "pagination": pages}
    flow = await server.flow({"microservice": "connector", "config": step})
    for _ in range(2):
        assert (await flow.run({}))["status"] == FAILURE
    assert "[redacted]" in (kept := await dump(server))
    access = [f"access-token-{number}" for number in range(1, 5)]
    for plain in (*secret.values(), *access, "rotated-r3fresh"):
        raw = plain.encode()
        for form in (plain, raw.hex(), base64.b64encode(raw).decode(), quote_plus(plain), quote(plain)):
            assert form not in kept


async def dump(world: World) -> str:
    """Every value of every table, large ones unpacked."""

    def read(db) -> list[str]:
        return [
            str(value if name != "body" or "encoding" not in row else unpacked(row))
            for table in tables.metadata.sorted_tables
            for row in db.execute(select(table)).mappings()
            for name, value in row.items()
        ]

    def unpacked(row) -> bytes:
        return world.platform.blobs.unpack(row["encoding"], row["body"], row["blob"])

    return "\n".join(await world.platform.database.read(read))
