"""What is limited holds over all workers: runs of a key, of a flow and of a company, requests, and resting circuits."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from aiohttp import web
from tests import remote as remotes
from tests.cluster.stage import Stage

pytestmark = pytest.mark.slow
HELD_SECONDS = 0.05


class Crowd:
    """A server that counts how many requests it has at once, in all and by what they say of themselves."""

    def __init__(self) -> None:
        self.now: Counter[Any] = Counter()
        self.most: Counter[Any] = Counter()
        self.order: dict[Any, list[int]] = {}

    async def answer(self, seen: remotes.Seen) -> web.Response:
        keys = ("all", seen.body["key"])
        for key in keys:
            self.now[key] += 1
            self.most[key] = max(self.most[key], self.now[key])
        self.order.setdefault(seen.body["key"], []).append(seen.body["n"])
        await asyncio.sleep(HELD_SECONDS)
        for key in keys:
            self.now[key] -= 1
        return await remotes.accept(seen)


async def crowd(stage: Stage, count: int, keys: int = 1, **fields: Any) -> Crowd:
    """What a server sees of so many runs of a flow with these limits."""
    counting = Crowd()
    flow = await stage.draw(stage.remote.send("/crowd"), **fields)
    stage.remote.answer = counting.answer
    for n in range(count):
        await start(stage, flow, {"n": n, "key": n % keys})
    await stage.settled()
    assert sum(len(of_key) for of_key in counting.order.values()) == count
    return counting


async def start(stage: Stage, flow: dict[str, Any], payload: dict[str, Any]) -> int:
    door = stage.fleet["serve"][payload["n"] % 2].base
    async with stage.fleet.session.post(door + flow["hook"], json=payload) as answer:
        assert answer.status == 200
        return int((await answer.json())["flow_run_id"])


async def test_runs_of_a_key_go_one_at_a_time_in_their_order(acting: Stage):
    seen = await crowd(acting, 40, keys=4, concurrency_key="[[payload.key]]")
    assert {key: seen.most[key] for key in range(4)} == dict.fromkeys(range(4), 1)
    assert seen.most["all"] > 1


async def test_a_flow_has_so_many_places(acting: Stage):
    seen = await crowd(acting, 40, concurrency=3)
    assert seen.most["all"] == 3


async def test_a_company_has_so_many_places(acting: Stage):
    await acting.rows("UPDATE companies SET concurrency = 2 RETURNING id")
    try:
        seen = await crowd(acting, 40)
    finally:
        await acting.rows("UPDATE companies SET concurrency = 0 RETURNING id")
    assert seen.most["all"] == 2


async def connect(stage: Stage, **fields: Any) -> dict[str, Any]:
    """A step that sends through a connection with these limits."""
    sent = {"name": "Shop", "base_url": stage.remote.url(""), "allowed_hosts": ["127.0.0.1"], **fields}
    made = (await stage.fleet.call("POST", "/connections", json=sent))["data"]
    return stage.remote.send("/limited", connection_id=made["id"])


async def test_requests_keep_the_rate_of_their_connection(acting: Stage):
    times: list[float] = []

    async def answer(seen: remotes.Seen) -> web.Response:
        times.append(asyncio.get_running_loop().time())
        return await remotes.accept(seen)

    acting.remote.answer = answer
    flow = await acting.draw(await connect(acting, rate_limit={"per_second": 10, "burst": 2}))
    for n in range(32):
        await start(acting, flow, {"n": n})
    await acting.settled()
    assert len(times) == 32
    # A burst of two, and one more each tenth of a second; some may come late and the next ones close behind.
    assert times[-1] - times[0] > 2.5
    assert all(later - earlier > 1 for earlier, later in zip(times, times[20:], strict=False))


async def test_a_circuit_that_opens_rests_everywhere(acting: Stage):
    came: list[int] = []

    async def fail(seen: remotes.Seen) -> web.Response:
        came.append(seen.body["n"])
        return web.Response(status=500)

    acting.remote.answer = fail
    breaker = {"failures": 3, "pause_seconds": 600}
    step = await connect(acting, circuit_breaker=breaker)
    step["config"]["retries"] = 0
    flow = await acting.draw(step)
    for n in range(3):
        await start(acting, flow, {"n": n})
        await acting.settled()
    shown = (await acting.fleet.call("GET", f"/connections/{step['config']['connection_id']}"))["data"]
    assert shown["circuit"]["state"] == "open"
    resting = [await start(acting, flow, {"n": n}) for n in range(3, 12)]
    waits = "SELECT id FROM flow_runs WHERE flow_id = %s AND resume_at IS NOT NULL"
    async with asyncio.timeout(10):
        while len(await acting.rows(waits, flow["id"])) < len(resting):
            await asyncio.sleep(0.05)
    # All processes have counted together, and all of them rest.
    assert len(came) == 3
    for run_id in resting:
        await acting.fleet.call("POST", f"/flow-runs/{run_id}/stop")
    await acting.settled()
