"""Who counts as dead after the database was away, and what processes do that end meanwhile."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from tests.store.queueing import queued
from tests.store.rows import NOW
from tests.store.test_handing import SILENCE, claim, row, silence, worker

from flowloom import errors
from flowloom.domain import run
from flowloom.runtime import feeder, heartbeat, sources
from flowloom.store import jetstream, processes


@pytest.fixture
def opened(postgres_opened):
    return postgres_opened


async def refuse() -> None:
    raise jetstream.Refused("stream: not found")


@pytest.fixture
def feeding(opened):
    nats: Any = SimpleNamespace(queue=SimpleNamespace(standing=refuse, ensure=refuse))
    return feeder.Feeder(opened.database, nats, silence=SILENCE, company_limit=0)


async def is_taken_away(opened, feeding, id, at):
    await feeding.tick(at)
    return row(opened, id).status == run.Status.QUEUED


async def test_after_a_database_that_was_away_who_lives_may_say_so_first(opened, feeding):
    [id] = queued(opened)
    by, grace = worker(opened), SILENCE / sources.BEATS
    claim(opened, [id], by)
    silence(opened, by)
    assert not await is_taken_away(opened, feeding, id, NOW)
    assert await is_taken_away(opened, feeding, id, NOW + grace)
    later = NOW + grace + feeder.AWAY_AFTER
    [other] = queued(opened)
    claim(opened, [other], by)
    assert not await is_taken_away(opened, feeding, other, later)
    assert await is_taken_away(opened, feeding, other, later + grace)


class Away:
    """A database that is away for the first of some writes."""

    def __init__(self, writes: int) -> None:
        self.writes = writes
        self.asked = 0

    async def write(self, *_: Any) -> Any:
        self.asked += 1
        if self.asked <= self.writes:
            raise errors.Busy("The database cannot take this now; try again.")
        return {}


MEMBER = processes.Member(1, "worker", 8, SILENCE, "key")


async def test_a_worker_says_that_it_lives_as_soon_as_the_database_is_back():
    away: Any = Away(1)
    handed = sources.Handed(away, SimpleNamespace(), MEMBER, 0)  # type: ignore[arg-type]
    with pytest.raises(errors.Busy):
        await handed.look_after(NOW, {})
    await handed.look_after(NOW + timedelta(seconds=1), {})
    await handed.look_after(NOW + timedelta(seconds=2), {})
    assert away.asked == 2


async def test_a_process_ends_without_its_database():
    away: Any = Away(1)
    await heartbeat.Heartbeat(away, MEMBER).stop()
    assert away.asked == 1
