"""Live events of a run, as server-sent events."""

from __future__ import annotations

import asyncio
import json

from aiohttp import web
from tests.engine.test_effects import begin
from tests.remote import Remote, Seen, hang
from tests.world import World


def events(body: bytes):
    blocks = [block for block in body.decode().split("\n\n") if block and not block.startswith(":")]
    return [json.loads(block.partition("data: ")[2]) for block in blocks]


async def test_a_run_is_followed_to_its_end(server: World, remote: Remote):
    way = {"name": "All"}
    flow = await server.flow(remote.send(), {"microservice": "route", "config": {"routes": [way]}})
    id = await flow.start({})
    following = asyncio.ensure_future(server.get(f"/flow-runs/{id}/events"))
    while not server.platform.broker.is_watched(id):
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    await server.work()
    answer = await asyncio.wait_for(following, 5)
    assert answer.headers["content-type"].startswith("text/event-stream")
    seen = [(event["type"], event.get("status", event.get("state"))) for event in events(answer.body)]
    steps = [("step", "started"), ("step", "finished")]
    assert seen == [("run", 0), ("run", 1), *steps, *steps, *steps, ("run", 2)]
    assert not server.platform.broker.is_watched(id)


async def test_an_ended_run_says_so_and_closes(server: World, remote: Remote):
    run = await (await server.flow(remote.send())).run({})
    answer = await asyncio.wait_for(server.get(f"/flow-runs/{run['id']}/events"), 5)
    assert events(answer.body) == [{"type": "run", "status": 2}]


async def test_a_stop_is_the_last_event(server: World, remote: Remote):
    remote.answer = hang
    id = await (await server.flow(remote.send())).start({})
    await begin(server)
    await remote.until(1)
    following = asyncio.ensure_future(server.get(f"/flow-runs/{id}/events"))
    while not server.platform.broker.is_watched(id):
        await asyncio.sleep(0)
    await server.post(f"/flow-runs/{id}/stop")
    await server.settle()
    assert events((await asyncio.wait_for(following, 5)).body)[-1] == {"type": "run", "status": 4}


async def test_who_comes_late_is_told_how_far_the_run_is(server: World, remote: Remote):
    async def refuse_then_hang(seen: Seen) -> web.Response:
        return web.Response(status=503) if len(remote.seen) == 1 else await hang(seen)

    remote.answer = refuse_then_hang
    flow = await server.flow(
        {"microservice": "split"}, remote.send(), {"microservice": "batch", "config": {"size": 1}}
    )
    id = await flow.start([{}])
    await begin(server)
    await remote.until(2)
    steps = (await server.get(f"/flow-runs/{id}/steps")).data
    assert [step["was_reached"] for step in steps] == [True, True, True, False]
    following = asyncio.ensure_future(server.get(f"/flow-runs/{id}/events"))
    while not server.platform.broker.is_watched(id):
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    await server.post(f"/flow-runs/{id}/stop")
    await server.settle()
    told = events((await asyncio.wait_for(following, 5)).body)
    states = [(event["step"], event["state"]) for event in told if event["type"] == "step"]
    trigger, split, send = [step["key"] for step in steps[:3]]
    assert states == [(trigger, "finished"), (split, "finished"), (send, "started")]


async def test_a_closing_server_ends_the_stream(server: World, remote: Remote):
    id = await (await server.flow(remote.send())).start({})
    following = asyncio.ensure_future(server.get(f"/flow-runs/{id}/events"))
    while not server.platform.broker.is_watched(id):
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    server.platform.broker.close_watchers()
    assert events((await asyncio.wait_for(following, 5)).body) == [{"type": "run", "status": 0}]
