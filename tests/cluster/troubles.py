"""What breaks in a fleet, each as a coroutine that also mends it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from tests.cluster.fleet import SILENCE_SECONDS
from tests.cluster.stage import Stage

Trouble = Callable[[Stage], Awaitable[None]]


async def kill_a_worker(stage: Stage) -> None:
    worker = stage.fleet["worker"][0]
    for _ in range(3):
        await worker.kill()
        await worker.start()
        await asyncio.sleep(0.2)


async def kill_all_workers(stage: Stage) -> None:
    await asyncio.gather(*(worker.kill() for worker in stage.fleet["worker"]))
    await asyncio.gather(*(worker.start() for worker in stage.fleet["worker"]))


async def freeze_a_worker(stage: Stage) -> None:
    """For so long that others take over what it has; then it goes on, and has lost it."""
    worker = stage.fleet["worker"][0]
    worker.freeze()
    await asyncio.sleep(SILENCE_SECONDS * 2)
    worker.thaw()


async def stop_a_worker(stage: Stage) -> None:
    """As an operator does: it hands back what it has."""
    worker = stage.fleet["worker"][1]
    await worker.stop()
    await worker.start()


async def kill_an_api(stage: Stage) -> None:
    door = stage.fleet["serve"][1]
    await door.kill()
    await door.start()


async def kill_the_leader(stage: Stage) -> None:
    leader = await stage.fleet.leader()
    await leader.kill()
    await leader.start()


async def freeze_the_leader(stage: Stage) -> None:
    leader = await stage.fleet.leader()
    leader.freeze()
    async with asyncio.timeout(10):
        while await stage.fleet.leader() is leader:
            await asyncio.sleep(0.05)
    leader.thaw()


async def kill_a_nats_server(stage: Stage) -> None:
    stage.nodes[0].kill()
    await asyncio.sleep(1)
    stage.nodes[0].start()


async def wipe_nats(stage: Stage) -> None:
    """All that NATS holds is lost."""
    for node in stage.nodes:
        node.kill()
        node.wipe()
    await asyncio.sleep(0.5)
    for node in stage.nodes:
        node.start()


async def restart_postgresql(stage: Stage) -> None:
    stage.postgres.stop()
    await asyncio.sleep(1)
    stage.postgres.start()


ALL: Final[list[Trouble]] = [
    kill_a_worker, kill_all_workers, freeze_a_worker, stop_a_worker, kill_an_api, kill_the_leader,
    freeze_the_leader, kill_a_nats_server, wipe_nats, restart_postgresql,
]  # fmt: skip
