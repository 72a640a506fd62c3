"""Losing the power at any moment: what anybody was told before is there afterwards, whatever was not synced is lost.

A server in this process works on a disk that keeps a log; the disk after a loss is laid out again and again from it.
"""

from __future__ import annotations

import asyncio
import errno
import os
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests import remote as remotes
from tests import world
from tests.crash import disk, losses

from flowloom import bootstrap, errors
from flowloom.domain import run
from flowloom.store import blobs, database, folder

pytestmark = pytest.mark.crash

SEEDS, LOSSES_PER_SEED = 5, 400
ROUNDS = 10
# A loss takes milliseconds to check; a whole walk over the file takes longer.
WHOLE_CHECK_EVERY = 20


@dataclass(frozen=True)
class Started:
    """A start was acknowledged."""

    run_id: int
    body: bytes


@dataclass(frozen=True)
class Ended:
    """The API has answered that a run has ended so."""

    run_id: int
    status: int


@dataclass(frozen=True)
class WentOn:
    """A run's second send has arrived, so its first one is recorded."""

    number: int


def tune(monkeypatch: pytest.MonkeyPatch, *pragmas: str) -> None:
    """Say more to the connection that writes, after what the product says to it."""
    real = database._set_up_sqlite

    def set_up(connection: sqlite3.Connection, entry: Any) -> None:
        real(connection, entry)
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    monkeypatch.setattr(database, "_set_up_sqlite", set_up)


class Load:
    """A flow with two sends, started and worked on in rounds; every answer is a fact."""

    def __init__(self, watched: disk.Disk, opened: world.World, remote: remotes.Remote, seed: int) -> None:
        self.disk, self.world, self.remote = watched, opened, remote
        self.chance = random.Random(seed)
        self.tried = 0

    async def work(self, fail: disk.Fail = disk.never) -> None:
        self.remote.answer = self._accept
        flow = await self.world.flow(self.remote.send("/first"), self.remote.send("/second"))
        self.disk.fail = fail
        for _ in range(ROUNDS):
            ids = await asyncio.gather(*(self._start(flow) for _ in range(self.chance.randrange(1, 8))))
            await self._worked()
            for id in filter(None, ids):
                status = (await self.world.get(f"/flow-runs/{id}")).data["status"]
                self.disk.told(Ended(id, status))

    async def _start(self, flow: world.Flow) -> int | None:
        self.tried += 1
        noise = self.chance.randbytes(self.chance.choice((10, 10, 300, 300, 6_000, 60_000))).hex()
        payload = {"n": self.tried, "noise": noise}
        answer = await self.world.post(f"/flows/{flow.id}/start/raw", json=payload)
        if answer.status == 503:
            return None
        id: int = answer.json()["flow_run_id"]
        self.disk.told(Started(id, world._encode(payload)))
        return id

    async def _worked(self) -> None:
        """Let all runs end, however often the database is not to be had meanwhile."""
        while True:
            try:
                await self.world.server.duty.dispatcher.tick(self.world.clock.now)
                await self.world.settle()
                if not (await self.world.get("/flow-runs", query={"filter[status]": "0,1"})).data:
                    return
                # A claim that was not heard of is taken up after a minute.
                self.world.clock.advance(seconds=61)
            except errors.Busy:
                continue

    async def _accept(self, seen: remotes.Seen) -> Any:
        if seen.path == "/second":
            self.disk.told(WentOn(seen.body["n"]))
        return await remotes.accept(seen)


async def logged(template: Path, directory: Path, seed: int, fail: disk.Fail = disk.never) -> disk.Disk:
    """The log of one load on a server of its own."""
    directory.mkdir()
    shutil.copy(template, directory / "flowloom.db")
    url = f"sqlite+pysqlite:///{directory / 'flowloom.db'}"
    with disk.watched(directory) as watched:
        async with remotes.serving() as remote, world.open_world(url, directory) as opened:
            await Load(watched, opened, remote, seed).work(fail)
            watched.fail = disk.never
    return watched


class Left:
    """What is found on a disk after a loss."""

    def __init__(self, directory: Path) -> None:
        self.blobs = blobs.open_blobs(None, directory, bootstrap.utc_now)
        self.connection = sqlite3.connect(directory / "flowloom.db")
        self.connection.execute("PRAGMA synchronous=OFF")
        self.runs = dict(self.connection.execute("SELECT id, status FROM flow_runs"))
        rows = self.connection.execute("SELECT run_id, kind, encoding, body, blob FROM payloads").fetchall()
        self.bodies = {row[0]: row[2:] for row in rows if row[1] == "start"}
        self.effects = {row[0] for row in rows if row[1] == "effect"}

    def lacks(self, facts: list[Any]) -> list[Any]:
        """The facts that do not hold."""
        numbers = {
            msgspec.json.decode(fact.body)["n"]: fact.run_id for fact in facts if isinstance(fact, Started)
        }
        return [fact for fact in facts if not self._holds(fact, numbers)]

    def _holds(self, fact: Any, numbers: dict[int, int]) -> bool:
        match fact:
            case Started():
                return fact.run_id in self.runs and self._body(fact.run_id) == fact.body
            case Ended():
                return self.runs.get(fact.run_id) == fact.status
            case _:
                # Its start may have been refused and yet been kept: then nobody knows its id.
                return fact.number not in numbers or numbers[fact.number] in self.effects

    def _body(self, run_id: int) -> bytes | None:
        try:
            return self.blobs.unpack(*self.bodies[run_id])
        except Exception:
            return None

    def is_sound(self) -> bool:
        return self.connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]

    def counts_each_end_once(self) -> bool:
        counted = self.connection.execute("SELECT sum(value) FROM metric_deltas WHERE key = 'success'")
        ended = sum(status == run.Status.SUCCESS for status in self.runs.values())
        return (counted.fetchone()[0] or 0) == ended


def lost_after(watched: disk.Disk, into: Path, count: int, seed: int) -> list[Any]:
    """What was lost in any of so many losses. A disk that is not whole counts as a loss too."""
    lost: list[Any] = []
    for turn, facts in enumerate(losses.after_each(watched.log, watched.directory, into, count, seed)):
        try:
            left = Left(into)
            lost += left.lacks(facts)
            if not left.counts_each_end_once() or (turn % WHOLE_CHECK_EVERY == 0 and not left.is_sound()):
                lost.append(f"loss {turn} left no sound database")
            left.connection.close()
        except sqlite3.DatabaseError as error:
            lost.append(error)
    return lost


@pytest.fixture
def left(tmp_path: Path) -> Iterator[Path]:
    """Where disks are laid out: in memory, where there is a place for that."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else tmp_path) as directory:
        yield Path(directory) / "left"


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_nothing_is_lost_that_was_told(
    sqlite_template: Path, tmp_path: Path, left: Path, monkeypatch: pytest.MonkeyPatch, seed: int
):
    tune(monkeypatch, f"wal_autocheckpoint={(30, 100, 1000)[seed % 3]}")
    watched = await logged(sqlite_template, tmp_path / "data", seed)
    kinds = {type(entry) for entry in watched.log}
    assert {disk.Write, disk.Sync, disk.SyncDirectory, disk.Rename, disk.Fact} <= kinds
    assert lost_after(watched, left, LOSSES_PER_SEED, seed) == []


@pytest.mark.parametrize("level", ["OFF", "NORMAL"])
async def test_without_a_sync_at_each_commit_this_finds_losses(
    sqlite_template: Path, tmp_path: Path, left: Path, monkeypatch: pytest.MonkeyPatch, level: str
):
    tune(monkeypatch, f"synchronous={level}")
    watched = await logged(sqlite_template, tmp_path / "data", 0)
    assert lost_after(watched, left, 50, 0)


async def test_a_body_whose_name_is_not_synced_is_lost(
    sqlite_template: Path, tmp_path: Path, left: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(folder, "_sync", lambda directory: None)
    watched = await logged(sqlite_template, tmp_path / "data", 0)
    assert {type(fact) for fact in lost_after(watched, left, 50, 0)} == {Started}


@pytest.mark.parametrize("seed", range(2))
async def test_nothing_is_lost_that_was_told_between_syncs_that_fail(
    sqlite_template: Path, tmp_path: Path, left: Path, monkeypatch: pytest.MonkeyPatch, seed: int
):
    """A sync that failed leaves what it was asked for in doubt, and the next one does not try that again."""
    tune(monkeypatch, f"wal_autocheckpoint={(30, 1000)[seed]}")
    chance = random.Random(seed)

    def fail(operation: str, path: str) -> int | None:
        return errno.EIO if operation == "sync" and chance.random() < 0.2 else None

    watched = await logged(sqlite_template, tmp_path / "data", seed, fail)
    assert sum(isinstance(entry, disk.Sync) and not entry.kept for entry in watched.log) > 5
    assert sum(isinstance(entry, disk.Fact) for entry in watched.log) > 20
    assert lost_after(watched, left, 200, seed) == []
