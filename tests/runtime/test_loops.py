"""The dispatcher, the supervisor and the pruner: room, staleness and retention."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from tests import remote as remotes
from tests.world import NOW, Clock, World, open_world

from flowloom import errors
from flowloom.runtime import pruner, supervisor
from flowloom.store import claims, tables

DAY = timedelta(days=1)


@pytest.fixture
async def remote():
    async with remotes.serving() as opened:
        opened.answer = remotes.hang
        yield opened


async def count(world: World, table) -> int:
    return await world.platform.database.read(lambda db: db.scalar(select(func.count()).select_from(table)))


@pytest.mark.parametrize(("settings", "expected"), [({"concurrency": 3}, 3), ({"company_concurrency": 2}, 2)])
async def test_no_more_runs_than_there_is_room_for(database_url, tmp_path, remote, settings, expected):
    async with open_world(database_url, tmp_path, **settings) as server:
        dispatcher = server.server.duty.dispatcher
        flow = await server.flow(remote.send())
        ids = [await flow.start({}) for _ in range(5)]
        claimed = [await dispatcher.tick(server.clock.now) for _ in range(3)]
        assert (claimed, dispatcher.running) == ([expected, 0, 0], expected)
        await remote.until(expected)
        await server.post(f"/flow-runs/{ids[0]}/stop")
        while dispatcher.running == expected:
            await asyncio.sleep(0)
        assert await dispatcher.tick(server.clock.now) == 1
        for id in ids:
            await server.post(f"/flow-runs/{id}/stop")
        await server.settle()
        assert dict(dispatcher._per_company) == {}


async def test_a_run_that_nobody_works_on_is_taken_up_and_no_other(server: World, remote):
    """A claim is committed and its answer lost: within a minute that is noticed."""
    dispatcher = server.server.duty.dispatcher
    flow = await server.flow(remote.send())
    ids = [await flow.start({"n": 1})]
    await dispatcher.tick(server.clock.now)
    ids.append(await flow.start({"n": 2}))
    await server.platform.database.write(claims.claim, 1, server.clock.now)
    assert await dispatcher.tick(server.clock.now) == 0
    server.clock.advance(seconds=60)
    assert await dispatcher.tick(server.clock.now) == 1
    await remote.until(2)
    assert remote.bodies() == [{"n": 1}, {"n": 2}]
    for id in ids:
        await server.post(f"/flow-runs/{id}/stop")
    await server.settle()


class Turns:
    """A loop that fails so many times, then turns; its waits end when the test says so."""

    def __init__(self, *failures: Exception) -> None:
        self.failures, self.turned, self.go_on = list(failures), 0, asyncio.Event()

    async def tick(self, now) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.turned += 1

    async def wait(self) -> None:
        await self.go_on.wait()
        self.go_on.clear()


async def test_a_loop_that_fails_is_turned_again():
    clock, slept = Clock(), []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    turns = Turns(errors.Busy("away"), ValueError("bug"))
    loops = supervisor.Supervisor([supervisor.Loop("turns", turns.tick, turns.wait)], clock, sleep)
    assert loops.stale() == ["turns"]
    loops.start()
    while not turns.turned:
        await asyncio.sleep(0)
    assert (slept, loops.stale()) == ([1.0, 1.0], [])
    await loops.stop()


async def test_a_loop_is_stale_when_it_fails_for_half_a_minute_and_not_while_it_waits():
    clock, turns = Clock(), Turns()

    async def sleep(seconds: float) -> None:
        clock.advance(seconds=seconds)
        await asyncio.sleep(0)

    loops = supervisor.Supervisor([supervisor.Loop("turns", turns.tick, turns.wait)], clock, sleep)
    loops.start()
    await asyncio.sleep(0.01)
    clock.advance(seconds=3600)
    assert loops.stale() == []
    turns.failures = [errors.Busy("away")] * 29
    turns.go_on.set()
    while len(turns.failures) > 1:
        await asyncio.sleep(0)
    assert loops.stale() == []
    turns.failures = [errors.Busy("away")] * 10
    while turns.failures:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    while turns.turned < 2:
        await asyncio.sleep(0)
    assert loops.stale() == []
    await loops.stop()


async def test_a_stale_loop_makes_the_server_not_ready(server: World, monkeypatch):
    assert (await server.get("/readyz", key=None)).status == 200
    monkeypatch.setattr(supervisor.Supervisor, "faults", lambda self: ["the scheduler does not turn"])
    answer = await server.get("/readyz", key=None)
    assert (answer.status, answer.json()["message"]) == (503, "Not ready: the scheduler does not turn.")


async def ended_run(world: World, remote: remotes.Remote, payload) -> int:
    remote.answer = remotes.accept
    return (await (await world.flow(remote.send())).run(payload))["id"]


def files_of(world: World) -> list[Path]:
    """The files of large bodies."""
    files = [path for path in (world.platform.settings.data_dir / "blobs").rglob("*") if path.is_file()]
    assert files
    return files


async def test_the_pruner_keeps_what_is_young_and_what_goes_on(server: World, remote, monkeypatch):
    monkeypatch.setattr(pruner, "BATCH", 2)
    large = [os.urandom(50_000).hex() for _ in range(2)]
    old = await ended_run(server, remote, {"large": large})
    waiting = await (await server.flow(remote.send())).start(
        {"waits": True}, headers={"Idempotency-Key": "k"}
    )
    files = files_of(server)
    assert await server.server.loops.pruner.tick(server.clock.now + 6 * DAY) == 0
    await server.server.loops.pruner.tick(server.clock.now + 8 * DAY)
    assert not any(path.exists() for path in files)
    assert (await count(server, tables.payloads), await count(server, tables.idempotency_keys)) == (1, 0)
    assert await count(server, tables.runs) == 2
    await server.server.loops.pruner.tick(server.clock.now + 31 * DAY)
    left = await server.platform.database.read(lambda db: list(db.scalars(select(tables.runs.c.id))))
    assert left == [waiting]
    assert old not in left
    assert await count(server, tables.payloads) == 1
    await server.work()
    assert (await server.get(f"/flow-runs/{waiting}")).data["status"] == 2


async def test_a_flow_may_keep_its_own_longer_or_shorter(server: World, remote):
    runs = {name: await ended_run(server, remote, {"n": name}) for name in ("usual", "long", "short")}
    days = {
        "long": {"payload_retention_days": 60, "log_retention_days": 90},
        "short": {"payload_retention_days": 1},
    }
    for name, fields in days.items():
        flow_id = (await server.get(f"/flow-runs/{runs[name]}")).data["flow_id"]
        assert (await server.put(f"/flows/{flow_id}", json=fields)).data.items() >= fields.items()

    async def kept(table, column) -> set[str]:
        ids = await server.platform.database.read(lambda db: set(db.scalars(select(column))))
        return {name for name, id in runs.items() if id in ids}

    pruning = server.server.loops.pruner
    expected = {2: {"usual", "long"}, 8: {"long"}, 31: {"long"}, 61: set()}
    for day, names in expected.items():
        await pruning.tick(NOW + day * DAY)
        assert await kept(tables.payloads, tables.payloads.c.run_id) == names
    # The newest run stays; the usual one is gone, the long one goes at last.
    assert await kept(tables.runs, tables.runs.c.id) == {"long", "short"}
    await pruning.tick(NOW + 91 * DAY)
    assert await kept(tables.runs, tables.runs.c.id) == {"short"}


@pytest.mark.parametrize("size", [10, 200_000])
async def test_a_dead_letter_outlives_its_payload(server: World, remote, size: int):
    remote.answers(400)
    flow = await server.flow(remote.send())
    await flow.start({"order": os.urandom(size).hex()})
    await server.work()
    [letter] = (await server.get("/dead-letters")).data
    files = files_of(server) if size > 1000 else []
    await server.server.loops.pruner.tick(NOW + 6 * DAY)
    assert (await server.get(f"/dead-letters/{letter['id']}/download")).status == 200
    await server.server.loops.pruner.tick(NOW + 8 * DAY)
    assert (await server.get(f"/dead-letters/{letter['id']}")).data["state"] == "open"
    for answer in (
        await server.get(f"/dead-letters/{letter['id']}/download"),
        await server.post(f"/dead-letters/{letter['id']}/re-drive"),
        await server.post(f"/dead-letters/{letter['id']}/re-drive", json={"payload": "{}"}),
    ):
        assert (answer.status, "is gone" in answer.json()["message"]) == (409, True)
    [again] = (await server.post("/dead-letters/re-drive?filter[state]=open")).data["skipped"]
    assert "is gone" in again["reason"]
    assert not any(path.exists() for path in files)
    assert (await server.post(f"/dead-letters/{letter['id']}/discard")).data["state"] == "discarded"


async def test_a_shorter_retention_takes_effect_within_a_day(server: World, remote):
    id = await ended_run(server, remote, {})
    await server.server.loops.pruner.tick(NOW + 2 * DAY)
    flow_id = (await server.get(f"/flow-runs/{id}")).data["flow_id"]
    await server.put(f"/flows/{flow_id}", json={"payload_retention_days": 1})
    await server.server.loops.pruner.tick(NOW + 3 * DAY)
    assert await count(server, tables.payloads) == 0
    answer = await server.put(f"/flows/{flow_id}", json={"payload_retention_days": None})
    assert "payload_retention_days" not in answer.data


async def test_metrics_by_the_minute_go_and_hours_and_days_stay(server: World, remote):
    await ended_run(server, remote, {})
    await server.server.loops.rollup.tick(NOW)

    async def intervals() -> set[str]:
        return await server.platform.database.read(
            lambda db: set(db.scalars(select(tables.metrics.c.interval)))
        )

    await server.server.loops.pruner.tick(NOW + 89 * DAY)
    assert await intervals() == {"minute", "hour", "day"}
    await server.server.loops.pruner.tick(NOW + 91 * DAY)
    assert await intervals() == {"hour", "day"}


async def test_a_file_that_another_payload_needs_stays(server: World, remote):
    body = {"large": os.urandom(100_000).hex()}
    await ended_run(server, remote, body)
    second = await ended_run(server, remote, body)
    files = files_of(server)
    young = update(tables.runs).where(tables.runs.c.id == second).values(queued_at=NOW + 5 * DAY)
    await server.platform.database.write(lambda db: db.execute(young))
    await server.server.loops.pruner.tick(NOW + 8 * DAY)
    assert all(path.exists() for path in files)
    await server.server.loops.pruner.tick(NOW + 13 * DAY)
    assert not any(path.exists() for path in files)


async def test_the_newest_run_stays_so_that_ids_never_come_again(server: World, remote):
    ids = [await ended_run(server, remote, {}) for _ in range(3)]
    await server.server.loops.pruner.tick(NOW + 100 * DAY)
    assert await server.platform.database.read(lambda db: list(db.scalars(select(tables.runs.c.id)))) == [
        ids[-1]
    ]
