"""The supervisor: keeps every loop turning. A loop that fails is logged, paused and turned again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

log = structlog.get_logger(__name__)

PAUSE_AFTER_FAILURE_SECONDS = 1.0
STALE_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Loop:
    """One loop: `tick(now)`, then `wait()` until the next one."""

    name: str
    tick: Callable[[datetime], Awaitable[object]]
    wait: Callable[[], Awaitable[object]]


class Supervisor:
    """Runs loops as tasks from `start` to `stop`."""

    def __init__(self, loops: Sequence[Loop], clock: Callable[[], datetime]) -> None:
        self._loops = loops
        self._clock = clock
        self._tasks: list[asyncio.Task[None]] = []
        self._beats: dict[str, datetime] = {}

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._turn(loop), name=loop.name) for loop in self._loops]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def stale(self) -> list[str]:
        """The loops that did not turn lately."""
        oldest = self._clock() - STALE_AFTER
        return [loop.name for loop in self._loops if self._beats.get(loop.name, oldest) <= oldest]

    async def _turn(self, loop: Loop) -> None:
        while True:
            try:
                await loop.tick(self._clock())
                self._beats[loop.name] = self._clock()
                await loop.wait()
            except Exception:
                log.exception("loop_failed", loop=loop.name)
                await asyncio.sleep(PAUSE_AFTER_FAILURE_SECONDS)
