"""A process that was silent for so long that it lost a run may be the one that claims it anew."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from flowloom.domain.run import Status
from flowloom.engine.executor import Ended, Executor


@pytest.fixture
def executor():
    made = Executor(SimpleNamespace())  # type: ignore[arg-type]
    yield made
    made.close()


async def test_what_it_still_did_for_the_run_ends_and_the_new_part_stays(executor, monkeypatch):
    row: Any = SimpleNamespace(id=7, stop_requested=False)
    one: Any = SimpleNamespace(row=row)
    goes_on = asyncio.Event()

    async def outcome(_active: Any, _claimed: Any) -> Ended:
        await goes_on.wait()
        return Ended(Status.SUCCESS)

    monkeypatch.setattr(executor, "_outcome", outcome)
    before = asyncio.create_task(executor._walked(one, one))
    await asyncio.sleep(0)
    after = asyncio.create_task(executor._walked(one, one))
    await asyncio.wait([before], timeout=1)
    assert before.cancelled()
    assert list(executor._walking) == [7]
    goes_on.set()
    assert await after == Ended(Status.SUCCESS)
    assert executor._walking == {}
