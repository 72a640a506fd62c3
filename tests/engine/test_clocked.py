"""Processor time of what waits in between."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest

from flowloom.engine.clocked import Clocked


def work(seconds: float) -> None:
    """Compute for so long."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


async def test_only_what_is_computed_counts_whatever_happens_meanwhile() -> None:
    async def waits() -> str:
        work(0.01)
        await asyncio.sleep(0)
        work(0.01)
        await asyncio.sleep(0.001)
        return "done"

    async def beside() -> None:
        for _ in range(3):
            work(0.02)
            await asyncio.sleep(0)

    clocked = Clocked(waits())
    answers = await asyncio.gather(clocked, beside())
    assert answers[0] == "done"
    assert 0.02 <= clocked.seconds < 0.05


async def test_what_is_raised_comes_through_and_counts() -> None:
    async def fails() -> None:
        await asyncio.sleep(0)
        work(0.005)
        raise ValueError("no")

    clocked = Clocked(fails())
    with pytest.raises(ValueError, match="no"):
        await clocked
    assert clocked.seconds >= 0.005


async def test_a_cancellation_reaches_what_waits() -> None:
    told: list[str] = []

    async def hangs() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            told.append("left")

    clocked = Clocked(hangs())
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.001):
            await clocked
    assert told == ["left"]


async def test_a_cancellation_may_be_held_off() -> None:
    async def stubborn() -> str:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return "held"

    task = asyncio.ensure_future(asyncio.wait_for(Clocked(stubborn()), 10))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        assert await task == "held"


async def test_what_a_future_fails_with_reaches_the_work() -> None:
    failing: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def catches() -> str:
        try:
            await failing
        except ConnectionRefusedError:
            return "caught"
        return "not reached"

    asyncio.get_running_loop().call_soon(failing.set_exception, ConnectionRefusedError())
    assert await Clocked(catches()) == "caught"
