"""Stopping: a run that waits, one that works, one whose server went down; and racing its end."""

from __future__ import annotations

import asyncio
import time

from tests.engine.test_effects import begin, crash, get_run
from tests.remote import Remote, hang
from tests.world import World

STARTED, SUCCESS, STOPPED = 1, 2, 4


async def stop(world: World, id: int):
    return await world.post(f"/flow-runs/{id}/stop")


async def test_a_queued_run_stops_at_once_and_never_begins(server: World, remote: Remote):
    id = await (await server.flow(remote.send())).start({})
    assert (await stop(server, id)).data["status"] == STOPPED
    await server.work()
    assert remote.seen == []
    assert (await stop(server, id)).status == 409


async def test_a_run_stops_in_the_middle_of_a_hanging_call(server: World, remote: Remote):
    remote.answer = hang
    id = await (await server.flow(remote.send())).start({})
    await begin(server)
    await remote.until(1)
    began = time.monotonic()
    await stop(server, id)
    await server.settle()
    assert time.monotonic() - began < 1
    run = await get_run(server, id)
    assert (run["status"], run["summary"]["error"]["message"]) == (STOPPED, "The run was stopped.")


async def test_a_run_stops_in_a_pause_between_attempts(server: World, remote: Remote, monkeypatch):
    executor = server.server.duty.dispatcher._executor
    pause = asyncio.Event()

    async def sleep(seconds: float) -> None:
        pause.set()
        await asyncio.Event().wait()

    object.__setattr__(executor._around, "sleep", sleep)
    remote.answers(503)
    id = await (await server.flow(remote.send())).start({})
    await begin(server)
    await pause.wait()
    await stop(server, id)
    await server.settle()
    assert (await get_run(server, id))["status"] == STOPPED


async def test_a_stop_that_the_server_did_not_live_to_see_holds_after_the_restart(
    server: World, remote: Remote
):
    remote.answer = hang
    id = await (await server.flow(remote.send())).start({})
    await begin(server)
    await remote.until(1)
    server.platform.broker.on_stop(lambda run_id: None)
    assert (await stop(server, id)).data["status"] == STARTED
    await crash(server)
    remote.answers(200)
    await server.work()
    assert (await get_run(server, id))["status"] == STOPPED
    assert len(remote.seen) == 1


async def test_a_stop_before_the_first_step_is_heard(server: World, remote: Remote):
    id = await (await server.flow(remote.send())).start({})
    dispatcher = server.server.duty.dispatcher
    dispatcher.stop_run(id)  # between the commit of its claim and its first step
    await begin(server)
    await server.settle()
    assert (await get_run(server, id))["status"] == STOPPED
    again = await (await server.flow(remote.send())).start({})
    await begin(server)
    dispatcher.stop_run(again)
    await server.settle()
    assert (await get_run(server, again))["status"] == STOPPED
    assert remote.seen == []


async def test_a_stop_that_races_the_end_leaves_one_end(server: World, remote: Remote):
    flow = await server.flow(remote.send())
    ids = [await flow.start({"n": n}) for n in range(20)]
    await begin(server)
    await asyncio.gather(*(stop(server, id) for id in ids), server.settle())
    await server.settle()
    statuses = [(await get_run(server, id))["status"] for id in ids]
    assert set(statuses) <= {SUCCESS, STOPPED}
    found = (await server.get(f"/flows/{flow.id}/version-metrics", query={"filter[type]": "runs"})).data
    counted = {metric["key"]: metric["value"] for metric in found}
    assert counted.get("success", 0) == statuses.count(SUCCESS)
    assert counted.get("stopped", 0) == statuses.count(STOPPED)
    executor = server.server.duty.dispatcher._executor
    assert (executor._stop_ordered, executor._walking) == (set(), {})


async def test_a_stop_during_the_end_does_not_lose_it(server: World, remote: Remote):
    id = await (await server.flow({"microservice": "manual-payload", "config": {"body": {}}})).start({})
    executor = server.server.duty.dispatcher._executor
    finish = executor._finish

    async def slow(*args):
        executor.stop(id)
        await asyncio.sleep(0)
        await finish(*args)

    executor._finish = slow
    await server.work()
    assert (await get_run(server, id))["status"] == SUCCESS
    assert executor._stop_ordered == set()
