"""A run that ends while others run for it: these are stopped, and its retry goes on with them."""

from __future__ import annotations

import pytest
from aiohttp import web
from tests.engine.test_effects import begin, get_run
from tests.engine.test_repeated_children import runs_of
from tests.engine.test_retry import retry
from tests.engine.test_waits import HOUR, parent_of
from tests.remote import Remote, Seen, hang
from tests.world import Flow, World

STARTED, SUCCESS, FAILURE, STOPPED = 1, 2, 3, 4


async def timed_out(server: World, parent: Flow, seconds: int = 60) -> int:
    """A run of the parent that waits for its children and may take so long; it has not ended yet."""
    await server.put(f"/flows/{parent.id}", json={"run_timeout_seconds": seconds})
    id = await parent.start([1, 2])
    await server.put(f"/flows/{parent.id}", json={"run_timeout_seconds": None})
    return id


async def statuses(server: World, flow: Flow) -> list[int]:
    return [run["status"] for run in await runs_of(server, flow)]


@pytest.mark.parametrize("parallel", [1, 2])
async def test_a_time_limit_stops_what_was_waited_for(server: World, remote: Remote, parallel: int):
    child = await server.flow(remote.send("/one"), HOUR, remote.send("/two"))
    parent = await parent_of(server, child, remote, wait=True, parallel=parallel)
    id = await timed_out(server, parent)
    await server.work()
    server.clock.advance(seconds=61)
    await server.work()
    assert (await get_run(server, id))["status"] == FAILURE
    assert await statuses(server, child) == [STOPPED, STOPPED]
    again = (await retry(server, id))["id"]
    for _ in range(2):
        server.clock.advance(seconds=3600)
        await server.work()
    assert (await get_run(server, again))["status"] == SUCCESS
    assert await statuses(server, child) == [STOPPED, STOPPED, SUCCESS, SUCCESS]
    assert sorted(remote.bodies("/one")) == sorted(remote.bodies("/two")) == [[1], [2]]


async def test_a_sibling_that_fails_stops_the_others_and_their_children(server: World, remote: Remote):
    async def refuse_one(seen: Seen) -> web.Response:
        return web.Response(status=400 if seen.body == [1] else 200)

    remote.answer = refuse_one
    lowest = await server.flow(HOUR)
    run = {"microservice": "run-flow", "config": {"flow_id": lowest.id, "wait": True}}
    child = await server.flow(remote.send("/one", retries=0), run)
    parent = await parent_of(server, child, remote, wait=True)
    id = await parent.start([2, 1])
    await server.work()
    server.clock.advance(seconds=60)
    await server.work()
    assert (await get_run(server, id))["status"] == FAILURE
    assert (await statuses(server, child), await statuses(server, lowest)) == ([STOPPED, FAILURE], [STOPPED])
    found = (await server.get(f"/flows/{child.id}/version-metrics", query={"filter[type]": "runs"})).data
    assert {one["key"]: one["value"] for one in found}.items() >= {"stopped": 1, "failure": 1}.items()


async def test_what_is_worked_on_is_told_and_what_is_not_waited_for_goes_on(server: World, remote: Remote):
    remote.answer = hang
    child = await server.flow(remote.send("/one"))
    alone = await server.flow(HOUR)
    first = {"microservice": "run-flow", "config": {"flow_id": alone.id}}
    second = {"microservice": "run-flow", "config": {"flow_id": child.id, "wait": True, "per": "bucket"}}
    parent = await server.flow(first, second)
    id = await timed_out(server, parent)
    await begin(server)
    while not await runs_of(server, child) or not remote.seen:
        await begin(server)
    server.clock.advance(seconds=61)
    while (await get_run(server, id))["status"] == STARTED:
        await begin(server)
    await server.settle()
    assert (await statuses(server, child), await statuses(server, alone)) == ([STOPPED], [STARTED])
    remote.answers(200)
    assert (await retry(server, id))["status"] == SUCCESS
    assert (len({*remote.keys("/one")}), await statuses(server, child)) == (1, [STOPPED, SUCCESS])


async def test_a_retry_waits_for_one_that_is_still_being_stopped(server: World, remote: Remote):
    remote.answer = hang
    child = await server.flow(remote.send("/one"))
    parent = await parent_of(server, child, remote, wait=True, per="bucket")
    id = await timed_out(server, parent)
    await begin(server)
    while not remote.seen:
        await begin(server)
    broker = server.platform.broker
    tell, broker.order_stop = broker.order_stop, lambda run_id: None
    server.clock.advance(seconds=61)
    while (await get_run(server, id))["status"] == STARTED:
        await begin(server)
    again = (await server.post(f"/flow-runs/{id}/retry")).json()["flow_run_id"]
    while (await get_run(server, again)).get("resume_at") is None:
        await begin(server)
    [stopping] = await runs_of(server, child)
    assert (stopping["status"], stopping["parent_run_id"]) == (STARTED, id)
    told = (await server.get(f"/flow-runs/{again}/explain")).data["waited_for"]
    assert any(f"run {stopping['id']} of another flow" in one for one in told)
    assert not any("a delay" in one for one in told)
    remote.answers(200)
    tell(stopping["id"])
    await server.settle()
    server.clock.advance(seconds=1)
    await server.work()
    assert (await get_run(server, again))["status"] == SUCCESS
    assert (len({*remote.keys("/one")}), await statuses(server, child)) == (1, [STOPPED, SUCCESS])
