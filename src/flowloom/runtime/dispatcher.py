"""The dispatcher: takes runs that are ready, as many as there is room for, and works on them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog

from flowloom.engine.executor import Executor
from flowloom.runtime.sources import Source
from flowloom.store import broker, recall

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
# Runs that wait for a `Retry-After` leave their place to others; so many times the places is all there is.
MAX_PAUSING: Final = 16


class Dispatcher:
    """`tick` claims once; the runs go on as tasks of the event loop."""

    def __init__(
        self,
        source: Source,
        signals: broker.Broker,
        executor: Executor,
        *,
        concurrency: int,
        drain_seconds: float,
    ) -> None:
        self._source = source
        self._signals = signals
        self._executor = executor
        self._concurrency = concurrency
        self._drain_seconds = drain_seconds
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._fences: dict[int, int] = {}
        self._per_company: Counter[int] = Counter()
        self._early_stops: set[int] = set()
        signals.on_stop(self.stop_run)

    @property
    def running(self) -> int:
        """How many runs are worked on now."""
        return len(self._tasks)

    async def tick(self, now: datetime) -> int:
        """Claim what is ready and start it; how many."""
        await self._look_after(now)
        room = min(
            self._concurrency - len(self._tasks) + self._executor.pausing,
            self._concurrency * MAX_PAUSING - len(self._tasks),
        )
        if room <= 0:
            self._source.is_full(now, self._per_company)
            return 0
        claimed = await self._source.claim(room, now, dict(self._per_company))
        for one in claimed:
            self._begin(one)
        self._early_stops.clear()
        return len(claimed)

    async def _look_after(self, now: datetime) -> None:
        orders = await self._source.look_after(now, self._fences)
        for run_id in orders.stop:
            self.stop_run(run_id)
        for run_id in orders.drop:
            log.warning("run_taken_over", run_id=run_id)
            if run_id in self._tasks:
                self._tasks[run_id].cancel()

    async def wait(self) -> None:
        """Until a run may be ready, or a run's end makes room."""
        await self._signals.wait_for_work(POLL_SECONDS)

    def stop_run(self, run_id: int) -> None:
        """End a run that is worked on here, or whose claim is committed and on its way here."""
        if run_id in self._tasks:
            self._executor.stop(run_id)
        else:
            self._early_stops.add(run_id)

    async def drain(self) -> None:
        """Let the runs finish for a while, then hand the rest back to the queue."""
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=self._drain_seconds)
        left = list(self._tasks.values())
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._source.hand_back()

    def _begin(self, claimed: recall.Claimed) -> None:
        task = asyncio.create_task(self._executor.execute(claimed))
        self._tasks[claimed.row.id] = task
        self._fences[claimed.row.id] = claimed.row.fence
        self._per_company[claimed.row.company_id] += 1
        if claimed.row.id in self._early_stops:
            self._executor.stop(claimed.row.id)
        task.add_done_callback(self._ended(claimed))

    def _ended(self, claimed: recall.Claimed) -> Callable[[asyncio.Task[None]], None]:
        def forget(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and task.exception() is not None:
                log.error("run_left_unfinished", run_id=claimed.row.id, exc_info=task.exception())
            # One that waits outside of memory may be claimed again before its first part is heard to have ended.
            if self._tasks.get(claimed.row.id) is task:
                del self._tasks[claimed.row.id], self._fences[claimed.row.id]
                self._source.ended(claimed.row.id)
            self._per_company.subtract([claimed.row.company_id])
            self._per_company += Counter()  # drops the companies that have no run left
            self._signals.wake()

        return forget
