"""Events and stop orders reach other processes, and a network that is slow or cut loses nothing."""

from __future__ import annotations

import asyncio
import json

import nats
import pytest
from tests import remote as remotes
from tests.cluster.proxy import proxying
from tests.cluster.stage import Stage, while_running
from tests.cluster.test_limits import start

pytestmark = pytest.mark.slow
STOPPED = 4


async def test_a_run_is_followed_from_another_process(acting: Stage):
    gate = asyncio.Event()

    async def hold(seen: remotes.Seen) -> object:
        await gate.wait()
        return await remotes.accept(seen)

    acting.remote.answer = hold  # type: ignore[assignment]
    flow = await acting.draw(acting.remote.send("/followed"))
    run_id = await start(acting, flow, {"n": 0})
    door, told = acting.fleet["serve"][1].base, []
    headers = {"Authorization": acting.fleet.key}
    async with acting.fleet.session.get(
        f"{door}/api/v1/flow-runs/{run_id}/events", headers=headers
    ) as answer:
        async for line in answer.content:
            if line.startswith(b"data: "):
                told.append(json.loads(line[6:]))
                gate.set()
    assert told[-1] == {"type": "run", "status": 2}
    assert any(event["type"] == "step" and event["state"] == "finished" for event in told)


async def test_a_stop_reaches_the_worker(acting: Stage):
    acting.remote.answer = remotes.hang
    flow = await acting.draw(acting.remote.send("/stopped"))
    run_id = await start(acting, flow, {"n": 0})
    async with asyncio.timeout(10):
        while not acting.remote.bodies("/stopped"):
            await asyncio.sleep(0.02)
    await acting.fleet.call("POST", f"/flow-runs/{run_id}/stop")
    async with asyncio.timeout(5):
        while (await acting.fleet.call("GET", f"/flow-runs/{run_id}"))["data"]["status"] != STOPPED:
            await asyncio.sleep(0.02)


async def test_a_callback_is_answered_by_a_worker_elsewhere(acting: Stage):
    acting.remote.answer = remotes.accept
    answering = {"microservice": "callback", "config": {}}
    flow = await acting.draw(answering)
    url = acting.fleet["serve"][0].base + flow["callback"]
    async with acting.fleet.session.post(url, json={"n": 1}) as answer:
        assert (answer.status, await answer.json()) == (200, {"n": 1})


async def test_what_is_foreign_at_nats_is_thrown_away_and_what_is_missing_made(acting: Stage):
    client = await nats.connect([node.url for node in acting.nodes])
    stream = client.jetstream()
    await stream.publish("flowloom.runs.3", b"not a run")
    await stream.publish("flowloom.runs.3", b"12345678901")
    await stream.delete_consumer("flowloom-runs", "priority-3")
    await acting.prepare()
    await acting.shoot(20)
    await acting.check()
    async with asyncio.timeout(10):
        while (await stream.stream_info("flowloom-runs")).state.messages:
            await asyncio.sleep(0.1)
    await client.close()


@pytest.mark.crash
async def test_a_worker_is_cut_off_from_nats_and_then_from_the_database(acting: Stage):
    fleet, place = acting.fleet, acting.nodes[0]
    others = list(fleet["worker"])
    async with (
        proxying(("127.0.0.1", place.port)) as nats,
        proxying(acting.postgres.socket) as database,
    ):
        worker = await fleet.add(
            "worker",
            FLOWLOOM_NATS_URL=f"nats://127.0.0.1:{nats.port}",
            FLOWLOOM_DATABASE_URL=f"postgresql://flowloom@127.0.0.1:{database.port}/flow",
        )
        await fleet.is_ready(worker)
        for other in others:
            await other.stop()
        await acting.prepare()

        async def trouble(_stage: Stage) -> None:
            nats.delay_seconds = database.delay_seconds = 0.02
            await asyncio.sleep(1)
            nats.cut()
            await asyncio.sleep(1.5)
            nats.mend()
            database.cut()
            await asyncio.sleep(1.5)
            database.mend()
            nats.delay_seconds = database.delay_seconds = 0.0

        try:
            await while_running(acting, 150, trouble)
        finally:
            await worker.stop()
            fleet.members.remove(worker)
