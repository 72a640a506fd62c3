"""Whatever breaks while runs are accepted and worked on: none is lost, none ends twice, and sends keep their keys."""

from __future__ import annotations

import asyncio
import os
import random
from datetime import UTC, datetime, timedelta

import pytest
from tests.cluster import troubles
from tests.cluster.stage import Stage, while_running

from flowloom.store import columns

pytestmark = [pytest.mark.crash, pytest.mark.slow]
RUNS = int(os.environ.get("FLOWLOOM_CHAOS_RUNS", "200"))
ROUNDS = int(os.environ.get("FLOWLOOM_CHAOS_ROUNDS", "1"))
SEED = int(os.environ.get("FLOWLOOM_CHAOS_SEED", "1"))
SCHEDULES = 500


async def test_workers_share_the_work(acting: Stage):
    before = [await ended(acting, number) for number in (0, 1)]
    repeated = acting.repeated()
    async with asyncio.timeout(60):
        # A request that NATS has lost, as it does when its servers choose a new leader, is made again after seconds.
        while not all([await ended(acting, number) > before[number] for number in (0, 1)]):
            await acting.shoot(RUNS)
    await acting.check()
    assert acting.repeated() == repeated


async def ended(stage: Stage, worker: int) -> float:
    name = 'flowloom_runs_ended_total{status="success"}'
    return await stage.fleet.metric(stage.fleet["worker"][worker], name) or 0.0


@pytest.mark.parametrize("trouble", troubles.ALL, ids=lambda trouble: trouble.__name__)
async def test_nothing_is_lost_when(acting: Stage, trouble: troubles.Trouble):
    await while_running(acting, RUNS, trouble)


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_nothing_is_lost_when_two_things_break_at_once(acting: Stage, number: int):
    """The long form, `make chaos`, does many rounds of it."""
    chosen = random.Random(f"{SEED}/{number}").sample(troubles.ALL, 2)

    async def both(stage: Stage) -> None:
        # One may stand in the other's way: what cannot be done then is put right before the next round.
        await asyncio.gather(*(one(stage) for one in chosen), return_exceptions=True)
        await stage.set_right()

    await while_running(acting, RUNS, both)


async def test_a_worker_that_is_told_to_stop_repeats_nothing(acting: Stage):
    listed, repeated = await acting.rows("SELECT count(*) FROM processes"), acting.repeated()

    async def trouble(stage: Stage) -> None:
        await stage.fleet["worker"][1].stop()
        assert await stage.rows("SELECT count(*) + 1 FROM processes") == listed
        await stage.fleet["worker"][1].start()

    await while_running(acting, RUNS, trouble)
    assert acting.repeated() == repeated


async def test_the_leader_is_killed_among_schedules(acting: Stage):
    made = await acting.draw(acting.remote.send("/scheduled"), schedules=SCHEDULES)
    slot = datetime.now(UTC).replace(second=0, microsecond=0)
    leader = await acting.fleet.leader()
    await make_due(acting, made["version"], slot)
    await leader.kill()
    await leader.start()
    await until_settled(acting, made["version"], slot)
    await acting.settled()
    fired = "SELECT count(*) FROM flow_runs WHERE flow_id = %s AND fire_at = %s GROUP BY schedule_id"
    found = await acting.rows(fired, made["id"], columns.to_micros(slot))
    assert [count for (count,) in found] == [1] * SCHEDULES


async def until_settled(stage: Stage, version_id: int, slot: datetime) -> None:
    """Wait until no schedule of a version is due any more."""
    due = "SELECT id FROM schedules WHERE flow_version_id = %s AND next_run_at <= %s LIMIT 1"
    async with asyncio.timeout(30):
        while await stage.rows(due, version_id, columns.to_micros(slot)):
            await asyncio.sleep(0.1)


async def make_due(stage: Stage, version_id: int, slot: datetime) -> None:
    """Give the schedules of a version a slot now, as if they had waited for it, and the next one in a year."""
    await stage.rows(
        "UPDATE schedules SET cron_string = %s, settled_until = %s, next_run_at = %s"
        " WHERE flow_version_id = %s RETURNING id",
        f"{slot.minute} {slot.hour} {slot.day} {slot.month} *",
        columns.to_micros(slot - timedelta(minutes=1)),
        columns.to_micros(slot),
        version_id,
    )
