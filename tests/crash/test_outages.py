"""The disk fills up, or PostgreSQL restarts, under a real server: it refuses what it cannot keep and then goes on."""

from __future__ import annotations

import asyncio
import contextlib
import random
import resource
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests import conftest, postgres
from tests import remote as remotes
from tests.crash import process
from tests.crash.test_crash import Scene, draw, settled

from flowloom import serving

pytestmark = pytest.mark.crash

SUCCESS = 2


class Outage:
    """Runs that hang at their first send when something goes away, and what is refused meanwhile."""

    def __init__(self, scene: Scene, server: process.Server) -> None:
        self.scene, self.server = scene, server
        self.gate = asyncio.Event()
        self.refused: set[int] = set()

    async def begin(self) -> None:
        self.scene.remote.answer = self._hold
        await self.scene.shoot(self.server, 8, at_once=4)
        await self.scene.remote.until(8)

    async def _hold(self, seen: remotes.Seen) -> Any:
        await self.gate.wait()
        return await remotes.accept(seen)

    async def status(self, path: str) -> tuple[int, str]:
        async with self.server.session.get(f"{self.server.base}{path}") as answer:
            return answer.status, (await answer.json())["message"]

    async def refuses(self, body: dict[str, Any]) -> str:
        """A start that is answered 503, with a time to try again and why."""
        self.refused.add(body["n"])
        async with self.server.session.post(f"{self.server.base}{self.scene.hook}", json=body) as answer:
            assert answer.status == 503, await answer.text()
            assert int(answer.headers["Retry-After"]) >= 1
            return str((await answer.json())["message"])

    async def is_noticed(self) -> str:
        """What /readyz says once it says anything."""
        return await self._until(503)

    async def is_over(self) -> None:
        await self._until(200)

    async def _until(self, wanted: int) -> str:
        deadline = time.monotonic() + 20
        while (found := await self.status("/readyz"))[0] != wanted:
            assert time.monotonic() < deadline, found
            await asyncio.sleep(0.05)
        assert (await self.status("/healthz"))[0] == 200
        return found[1]

    async def check(self) -> None:
        """What was acknowledged has run, what was refused has not, and nothing was sent twice over."""
        runs = {run["id"]: run["status"] for run in await settled(self.server)}
        assert runs == dict.fromkeys(self.scene.acknowledged, SUCCESS)
        for path in ("/first", "/second"):
            sent = sorted(body["n"] for body in self.scene.remote.bodies(path) if body is not None)
            assert sent == sorted(self.scene.acknowledged.values())
        assert not self.refused & set(self.scene.acknowledged.values())
        await self.server.alive()


@asynccontextmanager
async def outage(database_url: str, directory: Path) -> AsyncIterator[Outage]:
    async with remotes.serving() as remote:
        scene = Scene(database_url, directory, remote)
        await draw(scene)
        async with scene.serving() as server:
            begun = Outage(scene, server)
            await begun.begin()
            yield begun


def limit_files(pid: int, size_bytes: int) -> None:
    """Let a process write no file beyond this size: what is written fails as on a full disk, its log too."""
    hard = psutil.Process(pid).rlimit(psutil.RLIMIT_FSIZE)[1]
    psutil.Process(pid).rlimit(psutil.RLIMIT_FSIZE, (size_bytes, hard))


async def test_a_disk_that_takes_nothing_for_a_while(sqlite_template: Path, tmp_path: Path):
    (tmp_path / "flowloom.db").write_bytes(sqlite_template.read_bytes())
    async with outage(f"sqlite+pysqlite:///{tmp_path / 'flowloom.db'}", tmp_path) as full:
        limit_files(full.server.process.pid, 1)
        for number in range(1000, 1003):
            assert "disk I/O error" in await full.refuses({"kind": "order", "n": number})
        large = {"kind": "order", "n": 1003, "noise": random.Random(5).randbytes(100_000).hex()}
        assert "payload body" in await full.refuses(large)
        assert "cannot be written" in await full.is_noticed()
        full.gate.set()  # the runs in their middle cannot record what they have done
        await asyncio.sleep(0.2)
        assert full.scene.remote.bodies("/second") == []
        limit_files(full.server.process.pid, resource.RLIM_INFINITY)
        await full.is_over()
        await full.scene.shoot(full.server, 8)
        await full.check()
        assert list((tmp_path / "blobs").glob("*/*")) == []


def test_a_log_on_a_full_disk_ends_nothing():
    written = 0
    with contextlib.suppress(OSError), open("/dev/full", "w", buffering=1) as full:  # closing it fails too
        log = serving.Lossy(full)
        written = log.write("One line.\n")
        log.flush()
        written += log.write("Another one.\n")
    assert written == 23


@pytest.fixture
def cluster() -> Iterator[postgres.Cluster]:
    with postgres.cluster() as running:
        yield running


async def test_postgresql_restarts(cluster: postgres.Cluster, tmp_path: Path):
    url = await asyncio.to_thread(conftest.new_postgres, cluster.url)
    async with outage(url, tmp_path) as down:
        await asyncio.to_thread(cluster.stop)
        for number in range(1000, 1003):
            assert "cannot take this now" in await down.refuses({"kind": "order", "n": number})
        assert "cannot take this now" in await down.is_noticed()
        down.gate.set()
        await asyncio.sleep(0.2)
        assert down.scene.remote.bodies("/second") == []
        await asyncio.to_thread(cluster.start)
        await down.is_over()
        await down.scene.shoot(down.server, 8)
        await down.check()
