"""Serving: where it listens, what it makes of what arrives on its sockets, and how it ends."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import json
import re
import shutil
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from tests import world
from tests.api.test_conventions import SECURITY
from tests.world import World

from flowloom import serving
from flowloom.api import limits


@pytest.mark.parametrize(("port", "next_port"), [(0, 0), (8080, 8081), (65_534, 65_535), (65_535, 0)])
def test_the_shop_gets_the_next_port_if_there_is_one(port: int, next_port: int) -> None:
    assert serving.shop_port(port) == next_port


@pytest.mark.parametrize(
    ("host", "family", "shown"),
    [("127.0.0.1", socket.AF_INET, "127.0.0.1"), ("::1", socket.AF_INET6, "[::1]")],
)
def test_an_address_can_be_pasted(host: str, family: socket.AddressFamily, shown: str) -> None:
    with socket.create_server((host, 0), family=family) as bound:
        assert serving.address(host, bound) == f"http://{shown}:{bound.getsockname()[1]}"


@dataclass
class Socket:
    """A world behind a real socket."""

    world: World
    server: uvicorn.Server
    port: int

    async def send(self, *parts: bytes) -> bytes:
        """All that is answered until the server closes the connection; each part comes in a packet of its own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.01)
        answered = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return answered


@pytest.fixture
def over(sqlite_template: Path, tmp_path: Path) -> World:
    return not_started(sqlite_template, tmp_path)


def not_started(template: Path, directory: Path, **settings: Any) -> World:
    """A world that will listen on a free port."""
    shutil.copy(template, directory / "flowloom.db")
    return world.make_world(f"sqlite+pysqlite:///{directory / 'flowloom.db'}", directory, port=0, **settings)


@pytest.fixture
async def behind_socket(over: World) -> AsyncIterator[Socket]:
    async with listening(over) as opened:
        yield opened


@asynccontextmanager
async def listening(over: World) -> AsyncIterator[Socket]:
    server, bound = serving.listen_as_told(over.server)
    ended = asyncio.create_task(server.serve(sockets=[bound]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield Socket(over, server, bound.getsockname()[1])
    finally:
        server.should_exit = True
        await ended


def request(line: str, *fields: str, body: bytes = b"") -> bytes:
    head = "".join(f"{one}\r\n" for one in (f"{line} HTTP/1.1", "Host: flowloom.test", *fields))
    return f"{head}\r\n".encode() + body


def parsed(answered: bytes) -> tuple[int, dict[str, str], Any]:
    """The status, headers and JSON of one answer."""
    head, _, body = answered.partition(b"\r\n\r\n")
    status, *fields = head.decode().split("\r\n")
    found = dict(field.split(": ", 1) for field in fields)
    return int(status.split()[1]), found, json.loads(body)


H2C = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA")
WEBSOCKET = ("Upgrade: websocket", "Connection: keep-alive, Upgrade", "Sec-WebSocket-Version: 13")
BODY = b"GET /healthz HTTP/1.1\r\nHost: smuggled\r\n\r\n"
CLOSING = request("GET /healthz", "Connection: close")


class TestUpgrades:
    @pytest.mark.parametrize("offer", [H2C, WEBSOCKET], ids=["h2c", "websocket"])
    @pytest.mark.parametrize("is_chunked", [False, True])
    @pytest.mark.parametrize("cuts", [(), (30,), (230, 400)])
    async def test_a_body_behind_an_offer_arrives(
        self, behind_socket: Socket, offer: tuple[str, ...], is_chunked: bool, cuts: tuple[int, ...]
    ) -> None:
        over = behind_socket.world
        flow = await over.flow()
        size = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {len(BODY)}"
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY) if is_chunked else BODY
        fields = (f"Authorization: {over.key}", "Content-Type: text/plain", size)
        sent = request(f"POST /api/v1/flows/{flow.id}/start/raw", *offer, *fields, body=body)
        whole = sent + sent + CLOSING
        parts = [whole[start:end] for start, end in itertools.pairwise((0, *cuts, len(whole)))]
        answered = await behind_socket.send(*parts)
        assert re.findall(rb"HTTP/1.1 (\d+)", answered) == [b"200"] * 3
        payloads = (await over.get("/payload-metadata")).data
        assert len(payloads) == 2
        for payload in payloads:
            assert (await over.get(f"/payload-metadata/{payload['id']}/download")).body == BODY

    async def test_many_offers_at_once(self, behind_socket: Socket) -> None:
        answered = await behind_socket.send(request("GET /healthz", *H2C) * 300 + CLOSING)
        assert answered.count(b"HTTP/1.1 200 OK") == 301

    async def test_an_offer_that_ends_the_connection(self, behind_socket: Socket) -> None:
        last = request("GET /healthz", "Connection: close, Upgrade", "Upgrade: h2c")
        assert (await behind_socket.send(last + CLOSING)).count(b"HTTP/1.1 200 OK") == 1


class TestErrors:
    @pytest.mark.parametrize(
        "sent",
        [
            b"GARBAGE\r\n\r\n",
            b"GET /\xff HTTP/1.1\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            request("GET http:///"),
            request("GET /", "Content-Length: x"),
            request("GET /", "Content-Length: 1", "Transfer-Encoding: chunked"),
            request("CONNECT shop.test:443"),
            request("CONNECT shop.test:443", *WEBSOCKET),
            request("GET /", *H2C, "Bad Header: x"),
        ],
    )
    async def test_what_is_no_http_gets_json_and_the_headers(
        self, behind_socket: Socket, sent: bytes
    ) -> None:
        status, fields, body = parsed(await behind_socket.send(sent))
        assert (status, list(body)) == (400, ["message"])
        assert fields["content-type"] == "application/json"
        assert {name: fields[name] for name in SECURITY} == SECURITY

    async def test_what_goes_wrong_inside_too(self, behind_socket: Socket) -> None:
        async def broken() -> list[str]:
            raise RuntimeError("broken for the test")

        app = behind_socket.world.server.app
        app.state.doors = dataclasses.replace(app.state.doors, readiness=broken)
        status, fields, body = parsed(await behind_socket.send(request("GET /readyz", "Connection: close")))
        assert (status, list(body)) == (500, ["message"])
        assert {name: fields[name] for name in SECURITY} == SECURITY


@pytest.mark.parametrize(
    ("trusted", "address", "scheme"),
    [
        ((), "127.0.0.1", "http"),
        (("10.0.0.0/8",), "127.0.0.1", "http"),
        (("127.0.0.1",), "192.0.2.9", "https"),
        (("127.0.0.0/8", "192.0.2.9"), "198.51.100.1", "https"),
    ],
)
async def test_only_a_trusted_proxy_says_where_a_request_comes_from(
    sqlite_template: Path, tmp_path: Path, trusted: Sequence[str], address: str, scheme: str
) -> None:
    over = not_started(sqlite_template, tmp_path, trusted_proxies=trusted)
    for number in range(limits.ADDRESS_FAILURES):
        over.server.app.state.doors.logins.failed(f"{number}@example.com", address, over.clock.now)
    fields = ("X-Forwarded-For: 198.51.100.1, 192.0.2.9", "X-Forwarded-Proto: https", "Connection: close")
    body = b'{"email": "jo@example.com", "password": "wrong"}'
    login = request("POST /api/v1/login", *fields, f"Content-Length: {len(body)}", body=body)
    listed = request("GET /api/v1/flows", *fields, f"Authorization: {over.key}")
    async with listening(over) as opened:
        assert parsed(await opened.send(login))[0] == 429
        path = parsed(await opened.send(listed))[2]["meta"]["path"]
    assert path == f"{scheme}://flowloom.test/api/v1/flows"


async def test_who_watches_a_run_does_not_hold_up_the_end(over: World) -> None:
    async with listening(over) as opened:
        id = await (await over.flow()).start({})
        watching = request(f"GET /api/v1/flow-runs/{id}/events", f"Authorization: {over.key}")
        streams = [asyncio.create_task(opened.send(watching)) for _ in range(2)]
        while not over.platform.broker.is_watched(id):
            await asyncio.sleep(0.01)
        began = time.monotonic()
    assert time.monotonic() - began < 3
    for stream in streams:
        assert (await stream).endswith(b"0\r\n\r\n")


async def test_a_stream_that_comes_late_ends_at_once(over: World) -> None:
    async with listening(over) as opened:
        id = await (await over.flow()).start({})
        over.platform.broker.close_watchers()
        watching = request(
            f"GET /api/v1/flow-runs/{id}/events", f"Authorization: {over.key}", "Connection: close"
        )
        assert (await opened.send(watching)).endswith(b"0\r\n\r\n")
