"""Whatever breaks while runs are accepted and worked on: none is lost, none ends twice, and sends keep their keys."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from tests.cluster.fleet import SILENCE_SECONDS
from tests.cluster.stage import Stage, while_running

from flowloom.store import columns

pytestmark = [pytest.mark.crash, pytest.mark.slow]
RUNS = 250
SCHEDULES = 500


async def test_workers_share_the_work(acting: Stage):
    before = [await ended(acting, number) for number in (0, 1)]
    await acting.shoot(RUNS)
    await acting.check()
    assert all([await ended(acting, number) > before[number] for number in (0, 1)])
    assert acting.repeated() == 0


async def ended(stage: Stage, worker: int) -> float:
    name = 'flowloom_runs_ended_total{status="success"}'
    return await stage.fleet.metric(stage.fleet["worker"][worker], name) or 0.0


async def test_a_worker_is_killed(acting: Stage):
    async def trouble() -> None:
        worker = acting.fleet["worker"][0]
        for _ in range(3):
            await worker.kill()
            await worker.start()
            await asyncio.sleep(0.2)

    await while_running(acting, RUNS, trouble)


async def test_all_workers_are_killed_at_once(acting: Stage):
    async def trouble() -> None:
        await asyncio.gather(*(worker.kill() for worker in acting.fleet["worker"]))
        await asyncio.gather(*(worker.start() for worker in acting.fleet["worker"]))

    await while_running(acting, RUNS, trouble)


async def test_a_worker_that_was_only_slow_has_lost_its_runs(acting: Stage):
    async def trouble() -> None:
        worker = acting.fleet["worker"][0]
        worker.freeze()
        frozen = {id for (id,) in await acting.rows("SELECT id FROM flow_runs WHERE status = 1")}
        await asyncio.sleep(SILENCE_SECONDS * 2)
        worker.thaw()
        assert frozen

    await while_running(acting, RUNS, trouble)


async def test_a_nats_server_is_killed(acting: Stage):
    async def trouble() -> None:
        acting.nodes[0].kill()
        await asyncio.sleep(1)
        acting.nodes[0].start()

    await while_running(acting, RUNS, trouble)


async def test_all_that_nats_holds_is_lost(acting: Stage):
    async def trouble() -> None:
        for node in acting.nodes:
            node.kill()
            node.wipe()
        await asyncio.sleep(0.5)
        for node in acting.nodes:
            node.start()

    await while_running(acting, RUNS, trouble)


async def test_postgresql_is_restarted(acting: Stage):
    async def trouble() -> None:
        acting.postgres.stop()
        await asyncio.sleep(1)
        acting.postgres.start()

    await while_running(acting, RUNS, trouble)


async def test_the_leader_is_killed_among_schedules(acting: Stage):
    made = await acting.draw(acting.remote.send("/scheduled"), schedules=SCHEDULES)
    slot = datetime.now(UTC).replace(second=0, microsecond=0)
    leader = await acting.fleet.leader()
    await make_due(acting, made["version"], slot)
    await leader.kill()
    await leader.start()
    other = await acting.fleet.leader()
    await acting.settled()
    fired = await acting.rows(
        "SELECT schedule_id, count(*) FROM flow_runs WHERE flow_id = %s GROUP BY 1", made["id"]
    )
    assert len(fired) == SCHEDULES
    assert {count for _, count in fired} == {1}
    assert other


async def make_due(stage: Stage, version_id: int, slot: datetime) -> None:
    """Give the schedules of a version a slot now, as if they had waited for it."""
    settled = columns.to_micros(slot - timedelta(minutes=1))
    await stage.rows(
        "UPDATE schedules SET cron_string = '* * * * *', settled_until = %s, next_run_at = %s"
        " WHERE flow_version_id = %s RETURNING id",
        settled,
        columns.to_micros(slot),
        version_id,
    )


async def test_a_frozen_leader_is_followed_by_another(acting: Stage):
    leader = await acting.fleet.leader()
    leader.freeze()
    began = asyncio.get_running_loop().time()
    while (other := await acting.fleet.leader()) is leader:
        await asyncio.sleep(0.05)
    assert asyncio.get_running_loop().time() - began < 10
    leader.thaw()
    assert other is not leader
    await acting.shoot(20)
    await acting.check()


async def test_a_worker_that_is_told_to_stop_hands_back_what_it_has(acting: Stage):
    async def trouble() -> None:
        worker = acting.fleet["worker"][1]
        listed = await acting.rows("SELECT count(*) FROM processes")
        await worker.stop()
        assert await acting.rows("SELECT count(*) + 1 FROM processes") == listed
        await worker.start()

    repeated = acting.repeated()
    await while_running(acting, RUNS, trouble)
    assert acting.repeated() == repeated
