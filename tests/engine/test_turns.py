"""Rate limits: a token bucket per connection, a fair line before it that anybody may leave."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.test_circuits import connection
from tests.engine.test_effects import begin, get_run
from tests.remote import Remote
from tests.world import NOW, Clock, World

from flowloom.engine.turns import Turns


class Timeline:
    """Set time: whoever sleeps is woken when a test moves the clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.sleeping: list[tuple[float, asyncio.Event]] = []
        self.taken: list[tuple[float, Any]] = []
        self.waits = 0
        self.told: list[float] = []
        self.announced: list[float] = []
        self.limit: dict[str, Any] | None = None
        self.turns = Turns(self.clock, self.sleep, self.waited)

    @property
    def seconds(self) -> float:
        return (self.clock.now - NOW).total_seconds()

    def waited(self) -> None:
        self.waits += 1

    async def waits_for_turn(self, seconds: float) -> None:
        self.announced.append(seconds)

    async def rate_limit(self) -> dict[str, Any] | None:
        return self.limit

    def waited_for_turn(self, seconds: float) -> None:
        self.told.append(seconds)

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self.sleeping.append((self.seconds + seconds, woken))
        await woken.wait()

    async def advance(self) -> None:
        """Move to the next moment at which somebody wakes."""
        while not self.sleeping:  # the line is still moving up
            await asyncio.sleep(0)
        self.sleeping.sort(key=lambda entry: entry[0])
        at, woken = self.sleeping.pop(0)
        self.clock.advance(seconds=max(0.0, at - self.seconds))
        woken.set()
        await settle()

    def ask(self, name: Any, **limit: Any) -> asyncio.Task[None]:
        self.limit = limit or None

        async def take() -> None:
            await self.turns.take(connection(rate_limit=limit or None), self)
            self.taken.append((round(self.seconds, 3), name))

        return asyncio.create_task(take())


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_requests_go_out_evenly_and_in_the_order_of_asking():
    line = Timeline()
    for name in "abcd":
        line.ask(name, per_second=2, burst=1)
        await settle()
    assert (line.taken, line.turns.waiting, line.waits) == ([(0, "a")], 3, 3)
    for _ in range(3):
        await line.advance()
    assert line.taken == [(0, "a"), (0.5, "b"), (1, "c"), (1.5, "d")]
    assert line.told == [pytest.approx(seconds, abs=1e-3) for seconds in (0.5, 1, 1.5)]
    assert line.announced == [pytest.approx(seconds, abs=1e-3) for seconds in (0.5, 1, 1.5)]
    assert line.turns.waiting == 0


async def test_a_burst_goes_out_at_once_and_fills_again():
    line = Timeline()
    for name in range(4):
        line.ask(name, per_minute=6, burst=3)
    await settle()
    assert line.taken == [(0, 0), (0, 1), (0, 2)]
    while len(line.taken) == 3:
        await line.advance()
    assert line.taken[3:] == [(10, 3)]
    line.clock.advance(seconds=1000)
    for name in range(4):
        line.ask(name, per_minute=6, burst=3)
    await settle()
    assert len(line.taken) == 7


async def test_whoever_leaves_the_line_takes_no_token():
    line = Timeline()
    tasks = [line.ask(name, per_second=1, burst=1) for name in "abcd"]
    await settle()
    tasks[1].cancel()  # the first of the line, who sleeps
    tasks[2].cancel()  # one behind
    await settle()
    assert (line.turns.waiting, line.taken, line.told) == (1, [(0, "a")], [0, 0])
    while len(line.taken) == 1:
        await line.advance()
    assert line.taken[1:] == [(1, "d")]


async def test_nobody_overtakes_the_line_when_a_token_is_there():
    line = Timeline()
    for name in "ab":
        line.ask(name, per_second=1, burst=1)
    await settle()
    line.clock.advance(seconds=1)
    line.ask("late", per_second=1, burst=1)
    await settle()
    assert line.taken == [(0, "a")]
    await line.advance()
    assert line.taken[1:] == [(1, "b")]


async def test_a_changed_limit_counts_at_once_and_none_waits_for_nothing():
    line = Timeline()
    for name in "ab":
        line.ask(name, per_second=0.001, burst=1)
    await settle()
    line.ask("free")
    await settle()
    assert [name for _, name in line.taken] == ["a", "free"]
    await line.advance()  # who waits looks again, and waits no more
    assert line.taken[2:] == [(2, "b")]
    line = Timeline()
    line.ask("a", per_second=0.001, burst=1)
    await settle()
    line.clock.advance(seconds=1)
    line.ask("b", per_second=1, burst=1)
    await settle()
    assert [name for _, name in line.taken] == ["a", "b"]


async def test_a_raised_limit_reaches_those_who_wait():
    line = Timeline()
    for name in "abcd":
        line.ask(name, per_minute=1, burst=1)
        await settle()
    line.limit = {"per_second": 1, "burst": 1}
    while len(line.taken) < 4:
        await line.advance()
    assert [name for _, name in line.taken] == ["a", "b", "c", "d"]
    assert line.seconds < 6


async def test_a_clock_that_is_set_back_does_not_stop_the_tokens():
    line = Timeline()
    line.ask("a", per_second=1, burst=1)
    await settle()
    line.clock.advance(seconds=-3600)
    line.ask("b", per_second=1, burst=1)
    await settle()
    await line.advance()
    assert [name for _, name in line.taken] == ["a", "b"]


@given(st.lists(st.floats(0, 3), min_size=1, max_size=30), st.floats(0.5, 20), st.integers(1, 5))
def test_never_more_than_the_bucket_gives(gaps: list[float], rate: float, burst: int):
    async def play() -> list[float]:
        line = Timeline()
        for name, gap in enumerate(gaps):
            line.clock.advance(seconds=gap)
            line.ask(name, per_second=rate, burst=burst)
            await settle()
        while line.turns.waiting:
            await line.advance()
        assert [name for _, name in line.taken] == list(range(len(gaps)))
        return [at for at, _ in line.taken]

    times = asyncio.run(play())
    for first in range(len(times)):
        for last in range(first, len(times)):
            allowed = burst + rate * (times[last] - times[first] + 0.002)
            assert last - first + 1 <= allowed + 0.001


async def test_runs_share_the_limit_of_a_connection(sqlite_server: World, remote: Remote):
    sent = {"name": "Slow", "base_url": remote.url(), "rate_limit": {"per_second": 0.5}}
    id = (await sqlite_server.post("/connections", json=sent)).data["id"]
    step = {"direction": "send", "url": "/", "connection_id": id}
    flow = await sqlite_server.flow({"microservice": "connector", "config": step})
    for n in range(3):
        await flow.start({"n": n})
    await sqlite_server.work()
    assert len(remote.seen) == 3
    assert sqlite_server.slept == [pytest.approx(2), pytest.approx(2)]


async def test_a_stopped_run_leaves_the_line_at_once(sqlite_server: World, remote: Remote):
    sent = {"name": "Slow", "base_url": remote.url(), "rate_limit": {"per_minute": 1}}
    id = (await sqlite_server.post("/connections", json=sent)).data["id"]
    step = {"direction": "send", "url": "/", "connection_id": id}
    flow = await sqlite_server.flow({"microservice": "connector", "config": step})
    calls = sqlite_server.server.duty.dispatcher._executor._around.calls

    async def sleep(seconds: float) -> None:
        await asyncio.Event().wait()

    calls._turns._sleep = sleep
    await flow.run({})
    waiting = await flow.start({})
    await begin(sqlite_server)
    while not calls.waiting:
        await asyncio.sleep(0)
    assert sqlite_server.server.duty.dispatcher._executor.pausing == 1  # it leaves its place to others
    await sqlite_server.post(f"/flow-runs/{waiting}/stop")
    await sqlite_server.settle()
    assert (await get_run(sqlite_server, waiting))["status"] == 4
    assert (calls.waiting, len(remote.seen)) == (0, 1)
    sqlite_server.clock.advance(seconds=60)
    await flow.run({})
    assert len(remote.seen) == 2
