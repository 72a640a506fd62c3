"""Large pure work beside the event loop: it can be given up, and no company waits for another's."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.engine.test_effects import FAILURE, begin, get_run
from tests.engine.test_stop import STOPPED, stop
from tests.world import World

from flowloom.engine import inspection
from flowloom.engine.side import SideThreads
from flowloom.steps import contract, parts, registry

LARGE = [{"n": n} for n in range(3000)]


class Endless(contract.Config):
    """Nothing to say."""


class Work:
    """A pure step that never ends by itself."""

    def __init__(self) -> None:
        self.begun, self.given_up = threading.Event(), threading.Event()
        self.timeout_seconds = 600.0

    def run(self, context: contract.Context, payload: Any) -> contract.Outcome:
        self.begun.set()
        try:
            while True:
                context.check()
        except contract.GivenUp:
            self.given_up.set()
            raise

    def compile(self, config: Endless, legs: Any) -> contract.Compiled:
        return contract.Compiled(self.run, timeout_seconds=self.timeout_seconds)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    made = Work()
    kind = contract.StepType("endless", "Endless", "For tests.", "Never.", Endless, made.compile)
    monkeypatch.setitem(registry.TYPES, "endless", kind)
    yield made
    assert not made.begun.is_set() or made.given_up.wait(5)


async def until(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, 5)


async def test_a_run_stops_in_the_middle_of_pure_work(server: World, work: Work):
    id = await (await server.flow({"microservice": "endless"})).start(LARGE)
    await begin(server)
    await until(work.begun)
    began = time.monotonic()
    await stop(server, id)
    await server.settle()
    await until(work.given_up)
    assert time.monotonic() - began < 1
    assert (await get_run(server, id))["status"] == STOPPED


async def test_pure_work_has_a_time_limit_too(server: World, work: Work):
    work.timeout_seconds = 0.05
    run = await (await server.flow({"microservice": "endless", "name": "Sort it"})).run(LARGE)
    assert run["status"] == FAILURE
    error = run["summary"]["error"]
    assert error["message"] == "Sort it took longer than 0.05 seconds; give it fewer records at a time."
    assert error["class"] == "timeout"


async def test_a_look_at_a_run_has_one_as_well(server: World, work: Work, monkeypatch: pytest.MonkeyPatch):
    flow = await server.flow({"microservice": "endless"})
    id = await flow.start(LARGE)
    await begin(server)
    await until(work.begun)
    await stop(server, id)
    await server.settle()
    monkeypatch.setattr(inspection, "LOOK_SECONDS", 0.05)
    step = (await server.get(flow.graph)).data["steps"][-1]["key"]
    answer = await server.get(f"/flow-runs/{id}/step-payloads", query={"step": step, "side": "after"})
    assert answer.status == 503
    assert "look at an earlier step" in answer.json()["message"]


async def test_every_company_has_a_thread_and_none_has_two():
    side, goes_on = SideThreads("test"), threading.Event()
    heavy = [asyncio.ensure_future(side.run(1, goes_on.wait, 10)) for _ in range(3)]
    await asyncio.sleep(0.02)
    assert await asyncio.wait_for(side.run(2, lambda: "light"), 5) == "light"
    goes_on.set()
    assert await asyncio.gather(*heavy) == [True] * 3
    side.close()


async def test_closing_does_not_wait():
    side, goes_on = SideThreads("test"), threading.Event()
    heavy = asyncio.ensure_future(side.run(1, goes_on.wait, 10))
    await asyncio.sleep(0.02)
    began = time.monotonic()
    side.close()
    assert time.monotonic() - began < 1
    goes_on.set()
    await heavy


class Counting:
    """A context that is given up at some look."""

    def __init__(self, last: int) -> None:
        self.left = last

    def check(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise contract.GivenUp


def test_long_lists_are_looked_up_from_now_and_then():
    records = list(range(10 * parts.RECORDS + 1))
    assert [one for part in parts.of(Counting(11), records) for one in part] == records
    for given_up_at in (0, 5, 10):
        seen: list[int] = []
        pieces = parts.of(Counting(given_up_at), records)
        with pytest.raises(contract.GivenUp):
            seen.extend(one for part in pieces for one in part)
        assert len(seen) == given_up_at * parts.RECORDS
