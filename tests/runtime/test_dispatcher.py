"""The dispatcher's account of what it works on."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from tests.world import Clock

from flowloom.runtime import supervisor
from flowloom.runtime.dispatcher import Dispatcher
from flowloom.store import broker, recall


class Parts:
    """An executor whose parts of a run end when they are let go, in the order that is asked for."""

    pausing = 0

    def __init__(self) -> None:
        self.ends: list[asyncio.Event] = []

    async def execute(self, claimed: recall.Claimed) -> None:
        self.ends.append(asyncio.Event())
        await self.ends[-1].wait()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_a_run_claimed_again_before_its_first_part_is_heard_to_have_ended(order: tuple[int, int]):
    parts, wrong = Parts(), []
    asyncio.get_running_loop().set_exception_handler(lambda loop, about: wrong.append(about))
    source: Any = SimpleNamespace(ended=lambda run_id: None)
    dispatcher = Dispatcher(source, broker.Broker(), parts, concurrency=4, drain_seconds=0)  # type: ignore[arg-type]
    claimed = recall.Claimed(SimpleNamespace(id=7, company_id=1, fence=1))  # type: ignore[arg-type]
    for _ in order:
        dispatcher._begin(claimed)
    await asyncio.sleep(0)
    for number in order:
        parts.ends[number].set()
        for _ in range(3):
            await asyncio.sleep(0)
        assert dispatcher.running == (1 if (number, order[0]) == (0, 0) else 0)
    assert (dispatcher.running, dict(dispatcher._per_company), wrong) == (0, {}, [])


@pytest.mark.parametrize("moments", range(5))
async def test_who_is_cancelled_as_a_wake_comes_waits_no_more(moments: int):
    signals, turns = broker.Broker(), []

    async def loop() -> None:
        while True:
            await signals.wait_for_work(60)
            turns.append("woken")

    waiting = asyncio.ensure_future(loop())
    await asyncio.sleep(0.01)
    signals.wake()
    # At one of these the wait is over, but who waits has not heard of it yet.
    for _ in range(moments):
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting], timeout=1)
    assert waiting.cancelled()


async def test_who_waits_for_work_is_woken_in_time():
    signals = broker.Broker()
    signals.wake_in(0.01)
    signals.wake_in(0.02)
    for _ in range(2):
        async with asyncio.timeout(5):
            await signals.wait_for_work(60)


async def test_a_loop_that_loses_a_cancellation_is_cancelled_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(supervisor, "CANCEL_AGAIN_SECONDS", 0.01)
    lost: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            if lost:
                raise
            lost.append("the first")

    async def tick(_now: Any) -> None:
        """Nothing."""

    loops = supervisor.Supervisor([supervisor.Loop("loop", tick, wait)], Clock())
    loops.start()
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await loops.stop()
    assert lost == ["the first"]
