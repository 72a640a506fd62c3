"""What a run waited for before it began, told when it goes on and when it has ended, with the times."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from tests import remote as remotes
from tests.engine.test_effects import begin
from tests.remote import Remote
from tests.world import NOW, World, open_world

from flowloom.services import views
from flowloom.store import holds, tables

RUNS = tables.runs.c
STOPPED = 4
DELAY = {"microservice": "delay", "config": {"seconds": 60}}


def at(seconds: float) -> str:
    return str(views.instant(NOW + timedelta(seconds=seconds)))


async def waited_for(server: World, id: int) -> list[str]:
    told: list[str] = (await server.get(f"/flow-runs/{id}/explain")).data["waited_for"]
    return [line for line in told if not line.startswith("Step ")]


async def kept(server: World, id: int) -> Sequence[holds.Hold]:
    text = await server.platform.database.read(lambda db: db.scalar(select(RUNS.holds).where(RUNS.id == id)))
    return list(holds.read(text))


async def minute(server: World) -> None:
    """Let a minute pass and what is due run."""
    server.clock.advance(seconds=60)
    await server.work()


async def test_a_run_that_waits_for_nothing_keeps_nothing(server: World) -> None:
    flow = await server.flow()
    run = await flow.run({})
    assert (await waited_for(server, run["id"]), await kept(server, run["id"])) == ([], [])
    assert [step.keys() & {"waits", "waited_ms"} for step in run["summary"]["steps"]] == [set()]


async def test_the_cap_of_its_flow(server: World) -> None:
    flow = await server.flow(DELAY, concurrency=1)
    _, second, third = [await flow.start({}) for _ in range(3)]
    await server.work()
    server.clock.advance(seconds=5)
    now = ["It waits for a place: 1 of 1 are taken (flow concurrency)."]
    assert await waited_for(server, second) == now
    server.clock.advance(seconds=55)
    await server.work()
    held = f"It waited 60.000 s, from {at(0)} to {at(60)}, for a place: the flow's cap of 1 was taken."
    assert await waited_for(server, second) == [held]
    # A cap that is raised lets it go and is looked at anew.
    server.clock.advance(seconds=10)
    await server.put(f"/flows/{flow.id}", json={"concurrency": 2})
    await server.work()
    longer = f"It waited 70.000 s, from {at(0)} to {at(70)}, for a place: the flow's cap of 1 was taken."
    assert await waited_for(server, third) == [longer]
    await minute(server)
    assert (await server.get(f"/flow-runs/{second}")).data["status"] == 2
    assert await waited_for(server, second) == [held]


async def test_its_turn_and_then_a_place(server: World) -> None:
    keyed = {"concurrency_key": "[[payload.customer]]", "concurrency": 1}
    flow = await server.flow(DELAY, **keyed)
    first, other, second = [await flow.start({"customer": name}) for name in "aba"]
    await server.work()
    await minute(server)
    await minute(server)
    await minute(server)
    assert await waited_for(server, second) == [
        f"It waited 60.000 s, from {at(0)} to {at(60)}, for its turn behind earlier runs of the same schedule or key.",
        f"It waited 60.000 s, from {at(60)} to {at(120)}, for a place: the flow's cap of 1 was taken.",
        f"Run {first} of the same schedule or key, which ended at {at(60)}.",
    ]
    assert [line[:17] for line in await waited_for(server, other)] == ["It waited 60.000 "]


async def test_the_limit_of_parallel_children(server: World) -> None:
    child = await server.flow(DELAY)
    config = {"flow_id": child.id, "wait": True, "parallel": 1}
    batch = {"microservice": "batch", "config": {"size": 1}}
    parent = await server.flow(batch, {"microservice": "run-flow", "config": config})
    id = await parent.start([1, 2])
    await server.work()
    await minute(server)
    name = (await server.get(f"/flow-runs/{id}/steps")).data[-1]["name"]
    query = {"filter[parent_run_id]": id, "sort": "id"}
    _, second = [run["id"] for run in (await server.get("/flow-runs", query=query)).data]
    [told] = await waited_for(server, second)
    assert told.startswith(f"It waited 60.000 s, from {at(0)} to {at(60)}, for a place: ")
    assert told.endswith(f'the limit of 1 runs at a time of step "{name}" of run {id} was reached.')


async def test_a_run_that_is_stopped_in_the_queue_waited_until_then(server: World) -> None:
    flow = await server.flow(DELAY, concurrency=1)
    _, second = [await flow.start({}) for _ in range(2)]
    await server.work()
    server.clock.advance(seconds=7)
    assert (await server.post(f"/flow-runs/{second}/stop")).data["status"] == STOPPED
    await minute(server)
    [told] = await waited_for(server, second)
    assert told.startswith(f"It waited 7.000 s, from {at(0)} to {at(7)}")


@asynccontextmanager
async def busy(
    database_url: str, tmp_path: Path, **limits: int
) -> AsyncIterator[tuple[World, Remote, dict[str, Any]]]:
    """A server with few places, and a step whose call hangs and takes one."""
    async with remotes.serving() as remote, open_world(database_url, tmp_path, **limits) as server:
        remote.answer = remotes.hang
        yield server, remote, remote.send()


@pytest.mark.parametrize(
    ("limit", "why"),
    [
        ("concurrency", "for a free place of the server: all 1 were taken, or went to runs before it."),
        ("company_concurrency", "for a place: its company's cap of 1 was taken."),
    ],
)
async def test_a_place_of_the_server_and_of_its_company(
    database_url: str, tmp_path: Path, limit: str, why: str
) -> None:
    async with busy(database_url, tmp_path, **{limit: 1}) as (server, remote, call):
        flow = await server.flow(call)
        first = await flow.start({})
        await begin(server)
        server.clock.advance(seconds=10)
        second = await flow.start({})
        await begin(server)
        server.clock.advance(seconds=2.5)
        await server.post(f"/flow-runs/{first}/stop")
        remote.answers(200)
        await server.settle()
        await server.work()
        assert await waited_for(server, second) == [f"It waited 2.500 s, from {at(10)} to {at(12.5)}, {why}"]
        # Nothing is full any more, so that nothing is told of the next one.
        third = (await flow.run({}))["id"]
        assert await waited_for(server, third) == []


async def test_a_place_after_its_turn(database_url: str, tmp_path: Path) -> None:
    """The server was full while it waited for another run: that is told from the end of that one on."""
    async with busy(database_url, tmp_path, concurrency=2) as (server, remote, call):
        hanging, keyed = await server.flow(call), await server.flow(call, concurrency_key="all")
        first, second = [await keyed.start({}) for _ in range(2)]
        await begin(server)
        hung = await hanging.start({})
        await begin(server)
        server.clock.advance(seconds=3)
        await server.post(f"/flow-runs/{first}/stop")
        filler = await hanging.start({})
        await change(server, filler, priority=1)
        while server.server.duty.dispatcher.running > 1:
            await server.platform.database.read(lambda db: None)
        await begin(server)
        server.clock.advance(seconds=4)
        remote.answers(200)
        for id in (hung, filler):
            await server.post(f"/flow-runs/{id}/stop")
        await server.settle()
        await server.work()
        turn, place, *_ = await waited_for(server, second)
        assert turn.startswith(f"It waited 3.000 s, from {at(0)} to {at(3)}, for its turn")
        assert place.startswith(f"It waited 4.000 s, from {at(3)} to {at(7)}, for a free place")


async def change(server: World, id: int, **values: Any) -> None:
    changed = update(tables.runs).where(RUNS.id == id).values(values)
    await server.platform.database.write(lambda db: db.execute(changed).rowcount)


async def test_what_is_not_recorded_is_said_to_be(server: World) -> None:
    flow = await server.flow()
    id = await flow.start({})
    server.clock.advance(seconds=600)
    await server.work()
    assert await waited_for(server, id) == [
        "What it waited for in 600.000 s before it began is not recorded, as when the server does not run."
    ]


async def test_a_slot_tells_it_too(server: World) -> None:
    flow = await server.flow(DELAY, deploy=False, concurrency=1)
    made = {"cron_string": "0 * * * *"}
    id = (await server.post(f"/flow-versions/{flow.version_id}/schedules", json=made)).data["id"]
    await flow.deploy()
    server.clock.now = NOW + timedelta(hours=1)
    await flow.start({})
    await server.work()
    await server.tick()
    await server.work()
    await minute(server)
    slot = {"at": (NOW + timedelta(hours=1)).isoformat().replace("+00:00", "Z")}
    told = (await server.get(f"/schedules/{id}/explain", query=slot)).data
    assert told["waited_for"][0].startswith("It waited 60.000 s, from ")
    assert "the flow's cap of 1 was taken" in told["waited_for"][0]


async def test_a_run_that_has_much_to_tell_stays_small(server: World) -> None:
    flow = await server.flow(DELAY, concurrency=1)
    _, second = [await flow.start({}) for _ in range(2)]
    for _ in range(60):
        await server.server.duty.dispatcher.tick(server.clock.now)
        server.clock.advance(seconds=0.01)
        await server.put(f"/flows/{flow.id}", json={"concurrency": 0})
        await server.put(f"/flows/{flow.id}", json={"concurrency": 1})
    text: Any = await server.platform.database.read(
        lambda db: db.scalar(select(RUNS.holds).where(RUNS.id == second))
    )
    assert len(text) < holds.MAX_CHARACTERS + 100
    assert all(isinstance(hold.until, datetime) for hold in holds.read(text))
