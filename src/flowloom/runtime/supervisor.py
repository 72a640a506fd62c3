"""The supervisor: keeps every loop turning. A loop that fails is logged, paused and turned again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from flowloom import errors

log = structlog.get_logger(__name__)

PAUSE_AFTER_FAILURE_SECONDS = 1.0
CANCEL_AGAIN_SECONDS = 1.0
STALE_AFTER = timedelta(seconds=30)
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Loop:
    """One loop: `tick(now)`, then `wait()` until the next one."""

    name: str
    tick: Callable[[datetime], Awaitable[object]]
    wait: Callable[[], Awaitable[object]]


class Supervisor:
    """Runs loops as tasks from `start` to `stop`."""

    def __init__(
        self,
        loops: Sequence[Loop],
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._loops = loops
        self._clock = clock
        self._sleep = sleep
        self._tasks: list[asyncio.Task[None]] = []
        # Since when each loop owes a turn; None while it waits for the next one, however long.
        self._owing: dict[str, datetime | None] = {loop.name: NEVER for loop in loops}

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._turn(loop), name=loop.name) for loop in self._loops]

    async def stop(self) -> None:
        left = set(self._tasks)
        while left:
            for task in left:
                task.cancel()
            # Until Python 3.12 wait_for, which clients use, may lose a cancellation.
            _, left = await asyncio.wait(left, timeout=CANCEL_AGAIN_SECONDS)

    def stale(self) -> list[str]:
        """The loops that have not turned yet, or have failed or hung in their turn for half a minute."""
        oldest = self._clock() - STALE_AFTER
        return [name for name, since in self._owing.items() if since is not None and since <= oldest]

    def faults(self) -> list[str]:
        """The same in words, once the loops are started."""
        return [f"the {name} does not turn" for name in self.stale()] if self._tasks else []

    async def _turn(self, loop: Loop) -> None:
        while True:
            try:
                await self._tick(loop)
                await loop.wait()
            except errors.Busy as busy:
                log.warning("loop_waits_for_database", loop=loop.name, reason=busy.message)
                await self._sleep(PAUSE_AFTER_FAILURE_SECONDS)
            except Exception:
                log.exception("loop_failed", loop=loop.name)
                await self._sleep(PAUSE_AFTER_FAILURE_SECONDS)

    async def _tick(self, loop: Loop) -> None:
        now = self._clock()
        self._owing[loop.name] = self._owing[loop.name] or now
        await loop.tick(now)
        self._owing[loop.name] = None
