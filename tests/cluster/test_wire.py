"""The connection to NATS: what it says to whom, what it outlives, and that it ends."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from nats.aio.msg import Msg
from structlog.testing import capture_logs
from tests import certificates
from tests.cluster import nats_servers

from flowloom.store import nats_client, wire

INFO = {"server_id": "X", "version": "2.10.0", "proto": 1, "max_payload": 1_048_576, "auth_required": True}


class Hearing(wire.Wire):
    """A wire that hears what is sent to `heard`."""

    def __init__(self, *urls: str) -> None:
        super().__init__(urls, "tests")
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()
        self.stands = asyncio.Event()
        self.listen("heard", self._hear)
        self.on_change(lambda: self.stands.set() if self.is_up else None)

    async def _hear(self, message: Msg) -> None:
        await self.heard.put(message.data)

    async def hears(self, sent: bytes) -> bool:
        """Whether what is sent comes back."""
        self.send("heard", sent)
        async with asyncio.timeout(5):
            return await self.heard.get() == sent


@asynccontextmanager
async def connected(*urls: str) -> AsyncIterator[Hearing]:
    made = Hearing(*urls)
    await made.start()
    try:
        async with asyncio.timeout(20):
            await made.stands.wait()
        yield made
    finally:
        await made.stop()


@asynccontextmanager
async def answering(says: bytes) -> AsyncIterator[tuple[int, asyncio.Queue[bytes]]]:
    """A server that says one line and notes what it gets, until the other end hangs up."""
    got: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(says)
        await got.put(await reader.read(1000))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], got


async def test_a_server_without_tls_is_told_nothing_where_tls_is_asked_for():
    async with answering(b"INFO %s\r\n" % json.dumps(INFO).encode()) as (port, got):
        made = wire.Wire([f"tls://bob:secret@127.0.0.1:{port}"], "tests")
        with capture_logs() as told:
            await made.start()
            async with asyncio.timeout(10):
                assert await got.get() == b""
            assert not made.is_up
            await made.stop()
    assert "127.0.0.1 offers no TLS" in told[0]["reason"]


@pytest.mark.parametrize("more", ["", "allow_non_tls: true"])
async def test_credentials_are_decoded_and_go_out_encrypted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str
):
    certificate = certificates.write(tmp_path / "certificate.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tls = f'tls {{ cert_file: "{certificate}", key_file: "{certificate}" }}\n{more}\n'
    login = 'authorization { user: "b/b", password: "s3cr@t" }'
    with nats_servers.servers(tmp_path, 1, tls + login) as [node]:
        await node.ready()
        async with connected(f"tls://b%2Fb:s3cr%40t@localhost:{node.port}") as made:
            assert await made.hears(b"x")


async def test_a_token_is_decoded(tmp_path: Path):
    with nats_servers.servers(tmp_path, 1, 'authorization { token: "t@ken" }') as [node]:
        await node.ready()
        async with connected(node.url.replace("://", "://t%40ken@")) as made:
            assert await made.hears(b"x")


NONSENSE = [
    b"INFO []\r\n",
    b"INFO 7\r\n",
    b'INFO {"connect_urls": ["[x"]}\r\n',
    b"HTTP/1.1 400 Bad Request\r\n",
]


@pytest.mark.parametrize("nonsense", NONSENSE)
async def test_a_server_that_talks_nonsense_is_passed_over_also_when_the_connection_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nonsense: bytes
):
    monkeypatch.setattr(wire, "RECONNECT_SECONDS", 0.02)
    with nats_servers.servers(tmp_path, 1) as [node]:
        await node.ready()
        async with (
            answering(nonsense) as (port, got),
            connected(f"nats://127.0.0.1:{port}", node.url) as made,
        ):
            for _ in range(3):
                node.kill()
                while not got.empty():
                    got.get_nowait()
                made.stands.clear()
                async with asyncio.timeout(20):
                    await got.get()
                    node.start()
                    await made.stands.wait()
                assert await made.hears(b"x")


async def test_it_goes_on_after_whatever_goes_wrong_once_it_is_connected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    subscribe, failures = nats_client.Client.subscribe, [RuntimeError("no")]

    async def stumble(self: nats_client.Client, *about: Any, **more: Any) -> Any:
        if failures:
            raise failures.pop()
        return await subscribe(self, *about, **more)

    monkeypatch.setattr(nats_client.Client, "subscribe", stumble)
    with nats_servers.servers(tmp_path, 1) as [node]:
        await node.ready()
        async with connected(node.url) as made:
            assert await made.hears(b"x")


async def test_a_message_that_is_too_large_takes_no_other_along(tmp_path: Path):
    with nats_servers.servers(tmp_path, 1, "max_payload: 1000") as [node]:
        await node.ready()
        async with connected(node.url) as made:
            made.send("heard", bytes(1001))
            made.send("heard", b"", {"no": 7})  # type: ignore[dict-item]
            assert await made.hears(b"x")


async def test_it_ends_while_a_server_hangs_and_much_is_unsent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(wire, "STOP_SECONDS", 0.3)
    with nats_servers.servers(tmp_path, 1) as [node]:
        await node.ready()
        others = asyncio.all_tasks()
        async with connected(node.url) as made:
            assert node.process is not None
            node.process.send_signal(signal.SIGSTOP)
            for _ in range(50_000):
                made.send("heard", bytes(1000))
            await asyncio.sleep(0)
            async with asyncio.timeout(5):
                await made.stop()
                # Nothing of it is left that would connect again or keep the process.
                await asyncio.gather(*(asyncio.all_tasks() - others), return_exceptions=True)
            assert not made.is_up


async def test_what_is_unsent_is_sent_at_the_end(tmp_path: Path):
    with nats_servers.servers(tmp_path, 1) as [node]:
        await node.ready()
        async with connected(node.url) as other:
            async with connected(node.url) as made:
                for number in range(10_000):
                    made.send("heard", b"%d" % number + bytes(1000))
            async with asyncio.timeout(5):
                for _ in range(10_000):
                    await other.heard.get()
