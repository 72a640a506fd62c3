"""How long the steps of a run waited, and for what: counted in their time, over waits outside of memory and crashes."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from aiohttp import web
from tests.engine.test_effects import crash
from tests.engine.test_waits import ONE_BY_ONE, parent_of
from tests.remote import Remote, Seen, hang
from tests.world import World

FAILURE, STOPPED = 3, 4
DELAY = {"microservice": "delay", "config": {"seconds": 30}}


async def step(server: World, run_id: int, microservice: str) -> dict[str, Any]:
    """What the first step of a type says of itself."""
    steps = (await server.get(f"/flow-runs/{run_id}/steps")).data
    found: dict[str, Any] = next(one for one in steps if one["microservice"] == microservice)
    return found


def near(milliseconds: float) -> Any:
    """That time, and a little of the machine's own."""
    return pytest.approx(milliseconds + 1000, abs=1000)


async def test_a_delay_is_counted_once_for_the_bucket_and_over_a_restart(
    server: World, remote: Remote
) -> None:
    flow = await server.flow(ONE_BY_ONE, DELAY, remote.send())
    id = await flow.start([1, 2, 3])
    await server.work()
    server.clock.advance(seconds=12)
    waiting = await step(server, id, "delay")
    assert waiting["duration_ms"] == near(12_000)
    await crash(server)
    await server.work()
    server.clock.advance(seconds=18)
    await server.work()
    delay = await step(server, id, "delay")
    assert (delay["duration_ms"], delay["waited_ms"]) == (near(30_000), {"delay": 30_000})
    assert "waits" not in delay
    assert (await step(server, id, "connector"))["duration_ms"] == near(0)


async def test_a_crash_long_after_a_delay_adds_nothing_to_it(server: World, remote: Remote) -> None:
    remote.answer = hang
    flow = await server.flow(DELAY, remote.send())
    id = await flow.start({})
    await server.work()
    server.clock.advance(seconds=30)
    await server.server.duty.dispatcher.tick(server.clock.now)
    await remote.until(1)
    server.clock.advance(seconds=3600)
    await crash(server)
    remote.answers(200)
    await server.work()
    assert (await step(server, id, "delay"))["duration_ms"] == near(30_000)


async def test_what_ends_in_its_wait_has_waited_until_then(server: World, remote: Remote) -> None:
    flow = await server.flow(remote.send(), DELAY, run_timeout_seconds=20)
    stopped, late = await flow.start({}), await flow.start({})
    await server.work()
    server.clock.advance(seconds=5)
    await server.post(f"/flow-runs/{stopped}/stop")
    server.clock.advance(seconds=16)
    await server.work()
    for id, status, waited in ((stopped, STOPPED, 5000), (late, FAILURE, 21_000)):
        assert (await server.get(f"/flow-runs/{id}")).data["status"] == status
        delay = await step(server, id, "delay")
        assert (delay["duration_ms"], delay["waited_ms"]) == (near(waited), {"delay": waited})
        [told] = await explained(server, id, "delay")
        assert told.startswith("Step {}: a delay until 2026-03-02T10:00:")
        assert f"(when the run ended, after {waited / 1000:.3f} s), since 2026-03-02T10:00:00" in told
        assert (await step(server, id, "connector"))["attempts"] == 1


async def test_a_pause_and_a_child_that_a_run_was_stopped_in(server: World, remote: Remote) -> None:
    remote.answers(429, retry_after="600")
    child = await server.flow(DELAY)
    parent = await server.flow({"microservice": "run-flow", "config": {"flow_id": child.id, "wait": True}})
    paused, waiting = await (await server.flow(remote.send())).start({}), await parent.start({})
    await server.work()
    server.clock.advance(seconds=7)
    for id in (paused, waiting):
        await server.post(f"/flow-runs/{id}/stop")
    assert (await step(server, paused, "connector"))["waited_ms"] == {"retry_after": 7000}
    assert (await step(server, waiting, "run-flow"))["waited_ms"] == {"child": 7000}
    pause, total = await explained(server, paused, "connector")
    assert "(when the run ended, after 7.000 s), before attempt 2, since" in pause
    assert total == "Step {}: 7.000 s in all as the other side asked (Retry-After)."
    [told] = await explained(server, waiting, "run-flow")
    assert told.endswith("until it ended at 2026-03-02T10:00:07.000000Z.")


async def test_a_wait_for_a_child_is_counted(server: World, remote: Remote) -> None:
    child = await server.flow(DELAY)
    parent = await parent_of(server, child, remote, wait=True)
    id = await parent.start([1, 2])
    await server.work()
    server.clock.advance(seconds=30)
    await server.work()
    waited = await step(server, id, "run-flow")
    assert (waited["duration_ms"], waited["waited_ms"]) == (near(30_000), {"child": 30_000})
    for told in await explained(server, id, "run-flow"):
        assert told.endswith("until it ended at 2026-03-02T10:00:30.000000Z.")


async def test_pauses_between_attempts_are_told_apart(server: World, remote: Remote) -> None:
    remote.answers(429, 503, 429, 200, retry_after="4")
    flow = await server.flow(remote.send())
    quick = (await flow.run({}))["id"]
    assert (await step(server, quick, "connector"))["waited_ms"] == {"retry_after": 12_000}
    assert await explained(server, quick, "connector") == [
        "Step {}: 12.000 s in all as the other side asked (Retry-After)."
    ]
    remote.answers(503, 429, 200)
    usual = (await flow.run({}))["id"]
    waited = await step(server, usual, "connector")
    assert waited["waited_ms"] == {"backoff": pytest.approx(sum(server.slept[-2:]) * 1000, abs=0.01)}
    remote.answers(429, 200, retry_after="600")
    long = (await flow.run({}))["id"]
    server.clock.advance(seconds=601)
    await server.work()
    waited = await step(server, long, "connector")
    assert (waited["waited_ms"], waited["duration_ms"]) == ({"retry_after": 601_000}, near(601_000))
    assert (await explained(server, long, "connector"))[0].endswith("as the other side asked (Retry-After).")


async def explained(server: World, run_id: int, microservice: str) -> list[str]:
    """What a run waited for, with its step's name left open."""
    told = (await server.get(f"/flow-runs/{run_id}/explain")).data["waited_for"]
    return [re.sub(r'^Step ".*?":', "Step {}:", line) for line in told]


async def test_a_rate_limit_and_an_open_circuit(server: World, remote: Remote) -> None:
    limit = {"rate_limit": {"per_second": 0.5}, "circuit_breaker": {"failures": 2, "pause_seconds": 4}}
    sent = {"name": "Shop", "base_url": remote.url(), **limit}
    id = (await server.post("/connections", json=sent)).data["id"]
    config = {"direction": "send", "url": "/", "connection_id": id, "retries": 3}
    flow = await server.flow({"microservice": "connector", "config": config})
    first, second = await flow.start({}), await flow.start({})
    await server.work()
    waits = {id: (await step(server, id, "connector")).get("waited_ms") for id in (first, second)}
    [held] = [id for id, waited in waits.items() if waited]
    assert waits[held] == {"rate_limit": pytest.approx(2000)}
    assert await explained(server, held, "connector") == [
        "Step {}: 2.000 s in all for its turn under the rate limit of its connection."
    ]
    remote.answers(503, 503, 200)
    server.clock.advance(seconds=60)
    rested = (await flow.run({}))["id"]
    waited = (await step(server, rested, "connector"))["waited_ms"]
    assert waited["circuit"] == pytest.approx(server.slept[-1] * 1000, abs=0.01)
    told = await explained(server, rested, "connector")
    circuit = (
        f"Step {{}}: {waited['circuit'] / 1000:.3f} s in all while the circuit of its connection was open."
    )
    assert circuit in told


async def test_who_is_stopped_in_the_line_has_waited(sqlite_server: World, remote: Remote) -> None:
    sent = {"name": "Slow", "base_url": remote.url(), "rate_limit": {"per_minute": 1}}
    connection_id = (await sqlite_server.post("/connections", json=sent)).data["id"]
    config = {"direction": "send", "url": "/", "connection_id": connection_id}
    flow = await sqlite_server.flow({"microservice": "connector", "config": config})
    calls = sqlite_server.server.duty.dispatcher._executor._around.calls

    async def sleep(seconds: float) -> None:
        await asyncio.Event().wait()

    calls._turns._sleep = sleep
    await flow.run({})
    id = await flow.start({})
    await sqlite_server.server.duty.dispatcher.tick(sqlite_server.clock.now)
    while not calls.waiting:
        await asyncio.sleep(0)
    while not (told := await explained(sqlite_server, id, "connector")):
        await asyncio.sleep(0)
    assert told[0].endswith("Waits about 60.0 s for its turn under the rate limit.")
    sqlite_server.clock.advance(seconds=7)
    await sqlite_server.post(f"/flow-runs/{id}/stop")
    await sqlite_server.settle()
    assert (await step(sqlite_server, id, "connector"))["waited_ms"] == {"rate_limit": 7000}


async def test_many_short_waits_are_told_while_they_go_on(sqlite_server: World, remote: Remote) -> None:
    sent = {"name": "Even", "base_url": remote.url(), "rate_limit": {"per_second": 2, "burst": 1}}
    connection_id = (await sqlite_server.post("/connections", json=sent)).data["id"]
    config = {"direction": "send", "url": "/", "connection_id": connection_id}
    flow = await sqlite_server.flow(ONE_BY_ONE, {"microservice": "connector", "config": config})
    id = await flow.start(list(range(100)))
    await sqlite_server.work()
    logs = (await sqlite_server.get(f"/flow-runs/{id}/flow-run-logs", query={"per_page": "100"})).data
    told = [line["message"] for line in logs if line["message"].startswith("Waits about")]
    assert told[0] == "Waits about 0.5 s for its turn under the rate limit, after 0 s in all."
    assert told[-1].startswith("Waits about 0.5 s for its turn under the rate limit, after 4")
    assert 4 <= len(told) <= 6


async def test_a_run_that_is_worked_on_tells_what_it_said_last(server: World, remote: Remote) -> None:
    async def refuse_then_hang(seen: Seen) -> web.Response:
        return web.Response(status=503) if len(remote.seen) == 1 else await hang(seen)

    remote.answer = refuse_then_hang
    flow = await server.flow(remote.send())
    id = await flow.start({})
    await server.server.duty.dispatcher.tick(server.clock.now)
    await remote.until(2)
    [told] = (await server.get(f"/flow-runs/{id}/explain")).data["waited_for"]
    assert "503" in told
    assert "(attempt 1)" in told
    await server.post(f"/flow-runs/{id}/stop")
    await server.settle()
    assert not any(
        "(attempt 1)" in one for one in (await server.get(f"/flow-runs/{id}/explain")).data["waited_for"]
    )
