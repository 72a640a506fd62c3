"""Real processes of an installation that works together, to be killed, stopped and started again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from tests.crash.process import EMAIL, PASSWORD
from tests.forked import Forked

# After so long a silence a worker is dead.
SILENCE_SECONDS = 2.0


@dataclass
class Member:
    """One process of a role."""

    role: str
    directory: Path
    environ: Mapping[str, str]
    base: str = ""
    process: Forked | None = None

    async def start(self) -> None:
        """Start it, also after its end, and wait until it listens."""
        self.directory.mkdir(exist_ok=True)
        environ = {**os.environ, **self.environ}
        self.process = await Forked.start([self.role, "--port", "0"], environ, self.directory)
        async for line in self.process.stdout:
            if b" on http" in line:
                self.base = line.split()[-1].decode()
                return
        raise RuntimeError(self.log())

    def log(self) -> str:
        return (self.directory / "log").read_text()

    def signal(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)

    def freeze(self) -> None:
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    async def kill(self) -> None:
        self.signal(signal.SIGKILL)
        await self._gone()

    async def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self.signal(signal.SIGTERM)
        await self._gone()

    async def _gone(self) -> None:
        if self.process is not None:
            async with asyncio.timeout(30):
                await self.process.wait()


@dataclass
class Fleet:
    """The processes of one installation, and a session that calls its API."""

    directory: Path
    environ: dict[str, str]
    session: aiohttp.ClientSession
    members: list[Member] = field(default_factory=list)
    key: str = ""

    def __getitem__(self, role: str) -> list[Member]:
        return [member for member in self.members if member.role == role]

    async def add(self, role: str, **environ: str) -> Member:
        name = f"{role}-{len(self.members)}"
        member = Member(role, self.directory / name, {**self.environ, **environ})
        self.members.append(member)
        await member.start()
        return member

    async def call(self, method: str, path: str, **sent: Any) -> Any:
        """A call of the API that must work."""
        url = f"{self['serve'][0].base}/api/v1{path}"
        headers = {"Authorization": self.key} if self.key else {}
        async with self.session.request(method, url, headers=headers, **sent) as answer:
            assert answer.status == 200, (path, answer.status, await answer.text())
            return await answer.json()

    async def sign_in(self) -> None:
        """Use an API key, as a client would."""
        entered = await self.call("POST", "/login", json={"email": EMAIL, "password": PASSWORD})
        self.key = f"Bearer {entered['token']}"
        self.key = (await self.call("POST", "/api-keys", json={"name": "Tests"}))["data"]["key"]

    async def is_ready(self, member: Member, *, ready: bool = True) -> None:
        """Wait until a process says that it is ready, or that it is not."""
        async with asyncio.timeout(30):
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with self.session.get(f"{member.base}/readyz") as answer:
                        if (answer.status == 200) is ready:
                            return
                await asyncio.sleep(0.05)

    async def leader(self) -> Member:
        """The process that leads now."""
        async with asyncio.timeout(20):
            while True:
                for member in self["serve"] + self["scheduler"]:
                    if await self.metric(member, "flowloom_is_leader") == 1:
                        return member
                await asyncio.sleep(0.05)

    async def metric(self, member: Member, name: str) -> float | None:
        """What a process says of itself; None while it says nothing."""
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with self.session.get(f"{member.base}/metrics", timeout=aiohttp.ClientTimeout(2)) as answer:
                for line in (await answer.text()).splitlines():
                    if line.startswith(f"{name} "):
                        return float(line.split()[1])
        return None


@asynccontextmanager
async def assembled(directory: Path, database_url: str, nats_url: str) -> AsyncIterator[Fleet]:
    """A fleet without processes yet; all of them are gone afterwards."""
    environ = {
        "FLOWLOOM_DATABASE_URL": database_url,
        "FLOWLOOM_NATS_URL": nats_url,
        "FLOWLOOM_DATA_DIR": str(directory / "data"),
        "FLOWLOOM_SECRET_KEY": "a secret key for all of them",
        "FLOWLOOM_ADMIN_EMAIL": EMAIL,
        "FLOWLOOM_ADMIN_PASSWORD": PASSWORD,
        "FLOWLOOM_OUTBOUND_ALLOW": "127.0.0.1",
        "FLOWLOOM_WORKER_TIMEOUT_SECONDS": str(SILENCE_SECONDS),
        "FLOWLOOM_DRAIN_SECONDS": "3",
        "FLOWLOOM_LOG_FORMAT": "text",
    }
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as session:
        fleet = Fleet(directory, environ, session)
        try:
            yield fleet
        finally:
            for member in fleet.members:
                member.thaw()
                await member.kill()
