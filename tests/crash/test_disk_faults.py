"""A disk that is full or broken: 503 and nothing acknowledged while it lasts, and all goes on by itself afterwards."""

from __future__ import annotations

import asyncio
import errno
import random
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests import asgi, world
from tests import remote as remotes
from tests.crash import disk

from flowloom import errors

pytestmark = pytest.mark.crash

SUCCESS = 2
LARGE = {"noise": random.Random(3).randbytes(100_000).hex()}
DATABASE_FAULTS = [
    ("write", errno.ENOSPC, "database or disk is full"),
    ("write", errno.EIO, "disk I/O error"),
    ("sync", errno.EIO, "disk I/O error"),
]


@dataclass
class Scene:
    """A server on a disk that fails when it is told to."""

    disk: disk.Disk
    world: world.World
    remote: remotes.Remote

    def breaks(self, operation: str, error: int, where: Callable[[str], bool]) -> None:
        self.disk.fail = lambda asked, path: error if asked == operation and where(path) else None

    def mends(self) -> None:
        self.disk.fail = disk.never

    async def runs(self) -> dict[int, int]:
        return {run["id"]: run["status"] for run in (await self.world.get("/flow-runs")).data}


@pytest.fixture
async def scene(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Scene]:
    directory = tmp_path / "data"
    directory.mkdir()
    shutil.copy(sqlite_template, directory / "flowloom.db")
    url = f"sqlite+pysqlite:///{directory / 'flowloom.db'}"
    with disk.watched(directory) as watched:
        async with remotes.serving() as remote, world.open_world(url, directory) as opened:
            yield Scene(watched, opened, remote)
            watched.fail = disk.never


def is_database(path: str) -> bool:
    return "flowloom.db" in path


def is_blob(path: str) -> bool:
    return "/blobs/" in path


def assert_busy(answer: asgi.Answer, reason: str) -> None:
    assert answer.status == 503, answer.body
    assert reason in answer.json()["message"]
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize(("operation", "error", "reason"), DATABASE_FAULTS)
async def test_a_database_that_cannot_be_written(scene: Scene, operation: str, error: int, reason: str):
    flow = await scene.world.flow(scene.remote.send("/"))
    first = await flow.start({"n": 1})
    scene.breaks(operation, error, is_database)
    for _ in range(3):
        assert_busy(await scene.world.post(f"/flows/{flow.id}/start/raw", json={"n": 2}), reason)
    assert_busy(await scene.world.post("/flows", json={"name": "More"}), reason)
    assert_busy(await scene.world.get("/readyz", key=None), reason)
    with pytest.raises(errors.Busy):  # a group that has nothing to write proves nothing
        await scene.world.platform.database.write_grouped(lambda _: None)
    assert_busy(await scene.world.get("/readyz", key=None), reason)
    assert (await scene.world.get("/healthz", key=None)).status == 200
    assert await scene.runs() == {first: 0}
    scene.mends()
    second = await flow.start({"n": 3})
    assert (await scene.world.get("/readyz", key=None)).status == 200
    await scene.world.work()
    assert await scene.runs() == {first: SUCCESS, second: SUCCESS}
    assert [flow["name"] for flow in (await scene.world.get("/flows")).data] == ["Orders"]


@pytest.mark.parametrize(("operation", "error", "reason"), DATABASE_FAULTS)
async def test_a_run_waits_for_the_disk_in_its_middle(scene: Scene, operation: str, error: int, reason: str):
    flow = await scene.world.flow(scene.remote.send("/first"), scene.remote.send("/second"))
    failed = asyncio.Event()

    async def break_then_accept(seen: remotes.Seen) -> Any:
        if seen.path == "/first":
            scene.breaks(operation, error, is_database)
            asyncio.get_running_loop().call_later(0.05, mend)
        return await remotes.accept(seen)

    def mend() -> None:
        if scene.world.platform.database.faults():
            failed.set()
        scene.mends()

    scene.remote.answer = break_then_accept
    run = await flow.run({"n": 1})
    assert (run["status"], failed.is_set()) == (SUCCESS, True)
    assert scene.remote.per_key() == dict.fromkeys(
        scene.remote.keys("/first") + scene.remote.keys("/second"), 1
    )
    # What a failed try may have left behind is there once.
    payloads = await scene.world.get("/payload-metadata", query={"filter[flow_run_id]": run["id"]})
    assert sorted(payload["kind"] for payload in payloads.data) == ["effect", "effect", "start"]


@pytest.mark.parametrize(
    ("operation", "error", "reason"),
    [("mkdir", errno.ENOSPC, "No space left"), ("sync", errno.EIO, "Input/output error"),
     ("mkdir", errno.EROFS, "Read-only file system")],
)  # fmt: skip
async def test_a_large_body_that_cannot_be_written(scene: Scene, operation: str, error: int, reason: str):
    flow = await scene.world.flow(scene.remote.send("/"))
    scene.breaks(operation, error, is_blob)
    for _ in range(2):
        assert_busy(await scene.world.post(f"/flows/{flow.id}/start/raw", json=LARGE), reason)
    assert_busy(await scene.world.get("/readyz", key=None), reason)
    small = await flow.start({"n": 1})
    assert [path for path in Path(scene.disk.directory).glob("blobs/*/*") if path.is_file()] == []
    scene.mends()
    assert (await scene.world.get("/readyz", key=None)).status == 200
    large = await flow.start(LARGE)
    await scene.world.work()
    assert await scene.runs() == {small: SUCCESS, large: SUCCESS}


async def test_what_fails_and_what_works_again_is_logged_once(
    scene: Scene, capsys: pytest.CaptureFixture[str]
):
    flow = await scene.world.flow()
    scene.breaks("write", errno.ENOSPC, is_database)
    for _ in range(3):
        await scene.world.post(f"/flows/{flow.id}/start")
    scene.mends()
    for _ in range(3):
        await scene.world.post(f"/flows/{flow.id}/start")
    logged = capsys.readouterr().out
    assert logged.count("database_not_written") == 1
    assert "database or disk is full" in logged
    assert logged.count("database_written_again") == 1
