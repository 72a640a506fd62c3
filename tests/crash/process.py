"""A real server in a process of its own, to be killed and started again, and a client of its API."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from tests.forked import Forked

EMAIL, PASSWORD = "admin@example.com", "a long enough password"


@dataclass
class Server:
    """A running process and the session that talks to it."""

    process: Forked
    base: str
    session: aiohttp.ClientSession
    log: Path

    async def call(self, method: str, path: str, **sent: Any) -> Any:
        """A call that must work."""
        async with self.session.request(method, f"{self.base}{path}", **sent) as answer:
            body = await answer.json()
            assert answer.status == 200, (path, answer.status, body)
            return body

    async def alive(self) -> None:
        """Raises AssertionError with what the server wrote to its log if it ended by itself."""
        await asyncio.sleep(0)
        assert self.process.returncode is None, (self.process.returncode, self.log.read_text()[-4000:])

    async def get(self, path: str, **query: Any) -> Any:
        return await self.call("GET", f"/api/v1{path}", params=query)

    async def post(self, path: str, body: Any = None) -> Any:
        return await self.call("POST", f"/api/v1{path}", json=body if body is not None else {})

    async def sign_in(self) -> str:
        """Use an API key from now on, as a client would; the key."""
        entry = {"username": EMAIL, "password": PASSWORD}
        token = (await self.call("POST", "/api/v1/login", json=entry))["token"]
        made = await self.call(
            "POST", "/api/v1/api-keys", json={"name": "Crash"}, headers={"Authorization": f"Bearer {token}"}
        )
        key = str(made["data"]["key"])
        self.session.headers["Authorization"] = key
        return key

    async def dies(self, seconds: float = 20) -> None:
        """Wait until the process is gone."""
        await asyncio.wait_for(self.process.wait(), seconds)

    def kill(self) -> None:
        """End the process at once; one that is gone already is as dead as it shall be."""
        self.process.kill()


@asynccontextmanager
async def serving(
    database_url: str, data_dir: Path, *, key: str | None = None, fault: str = ""
) -> AsyncIterator[Server]:
    """Start the server, wait until it is ready, and see that it is gone afterwards."""
    environ = {
        **os.environ,
        "FLOWLOOM_ADMIN_EMAIL": EMAIL,
        "FLOWLOOM_ADMIN_PASSWORD": PASSWORD,
        "FLOWLOOM_OUTBOUND_ALLOW": "127.0.0.1",
        "FLOWLOOM_FAULT": fault,
    }
    arguments = ["serve", "--port", "0", "--data-dir", str(data_dir), "--database-url", database_url]
    process = await Forked.start(arguments, environ, data_dir)
    headers = {"Authorization": key} if key else {}
    try:
        base = await _address(process, data_dir)
        async with aiohttp.ClientSession(headers=headers) as session:
            server = Server(process, base, session, data_dir / "log")
            await _ready(server)
            yield server
    finally:
        process.terminate()
        await process.wait()


async def _address(process: Forked, data_dir: Path) -> str:
    async for line in process.stdout:
        if line.startswith(b"Flowloom on "):
            return line.split()[2].decode()
    raise RuntimeError((data_dir / "log").read_text())


async def _ready(server: Server) -> None:
    for _ in range(200):
        with contextlib.suppress(aiohttp.ClientError):
            async with server.session.get(f"{server.base}/readyz") as answer:
                if answer.status == 200:
                    return
        if server.process.returncode is not None:
            return
        await asyncio.sleep(0.02)
    raise RuntimeError("The server does not get ready.")
