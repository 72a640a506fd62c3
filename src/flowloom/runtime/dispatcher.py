"""The dispatcher: claims runs that are ready, as many as there is room for, and works on them."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Connection

from flowloom import errors
from flowloom.domain.fullness import Fullness
from flowloom.domain.turns import Turns
from flowloom.engine.executor import Executor
from flowloom.store import broker, claims, columns, journal, recall
from flowloom.store.database import Database

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
LOST_RUNS_EVERY: Final = timedelta(minutes=1)
# Runs that wait for a `Retry-After` leave their place to others; so many times the places is all there is.
MAX_PAUSING: Final = 16
DRAIN_SECONDS = 5.0


class Dispatcher:
    """`tick` claims once; the runs go on as tasks of the event loop."""

    def __init__(
        self,
        database: Database,
        signals: broker.Broker,
        executor: Executor,
        *,
        concurrency: int,
        company_concurrency: int,
    ) -> None:
        self._database = database
        self._signals = signals
        self._executor = executor
        self._concurrency = concurrency
        self._company_concurrency = company_concurrency
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._per_company: Counter[int] = Counter()
        self._turns = Turns()
        self._full = Fullness(concurrency)
        self._early_stops: set[int] = set()
        self._look_again_at = columns.EPOCH
        signals.on_stop(self.stop_run)

    @property
    def running(self) -> int:
        """How many runs are worked on now."""
        return len(self._tasks)

    async def tick(self, now: datetime) -> int:
        """Claim what is ready and start it; how many."""
        await self._take_up_lost(now)
        room = min(
            self._concurrency - len(self._tasks) + self._executor.pausing,
            self._concurrency * MAX_PAUSING - len(self._tasks),
        )
        if room <= 0:
            self._full.server_is_full(now, self._per_company)
            return 0
        running, limit = dict(self._per_company), self._company_concurrency
        # What a claim that failed has learned is not sure.
        full, self._full = self._full, Fullness(self._concurrency)
        claimed = await self._database.write_grouped(
            lambda db: claim(db, room, now, running, limit, self._turns, full)
        )
        self._full = full
        for one in claimed:
            self._begin(one)
        self._early_stops.clear()
        return len(claimed)

    async def _take_up_lost(self, now: datetime) -> None:
        """Once a minute, queue again what is started yet not worked on: its claim was committed but not heard of."""
        if now < self._look_again_at:
            return
        self._look_again_at = now + LOST_RUNS_EVERY
        working = set(self._tasks)
        await self._database.write_grouped(lambda db: claims.requeue_abandoned(db, working))

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
            await asyncio.wait(self._tasks.values(), timeout=DRAIN_SECONDS)
        left = list(self._tasks.values())
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        # Without a database the next start does it.
        with contextlib.suppress(errors.Busy):
            await self._database.write_grouped(claims.requeue_abandoned)

    def _begin(self, claimed: recall.Claimed) -> None:
        task = asyncio.create_task(self._executor.execute(claimed))
        self._tasks[claimed.row.id] = task
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
                del self._tasks[claimed.row.id]
            self._per_company.subtract([claimed.row.company_id])
            self._per_company += Counter()  # drops the companies that have no run left
            self._signals.wake()

        return forget


def claim(
    connection: Connection,
    room: int,
    now: datetime,
    running: Mapping[int, int],
    company_limit: int,
    turns: Turns | None = None,
    full: Fullness | None = None,
) -> list[recall.Claimed]:
    """Claim runs, also those whose wait is over, and count those that start for the first time, in one transaction."""
    claims.resume_due(connection, now)
    claimed = claims.claim(connection, room, now, running, company_limit, turns, full)
    minute = now.replace(second=0, microsecond=0)
    started = Counter(
        (one.row.flow_id, one.row.flow_version_id, one.row.iteration, minute, "runs", "started")
        for one in claimed
        if one.row.fence == 1
    )
    journal.add_deltas(connection, started)
    return claimed
