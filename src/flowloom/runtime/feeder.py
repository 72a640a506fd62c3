"""The feeder: brings the runs that wait in the database to the workers, by priority and by turns of companies.

What a process has announced by itself and what NATS has lost look alike to it: a run that waits and that NATS does not
hold is offered again. So nothing is lost with NATS.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Connection

from flowloom import errors
from flowloom.domain.turns import Turns
from flowloom.engine import meters
from flowloom.runtime import sources
from flowloom.store import claims, columns, handing, jetstream, processes, shared_broker
from flowloom.store.database import Database
from flowloom.store.wire import FAILURES

log = structlog.get_logger(__name__)

POLL_SECONDS: Final = 1.0
# Between two looks, after one that found something and after one that did not.
BUSY_PAUSE_SECONDS: Final = 0.01
IDLE_PAUSE_SECONDS: Final = 0.1
# A run that a worker was given and that still waits so long after was not taken: it is offered again.
AGAIN_AFTER: Final = timedelta(seconds=2)
DEAD_EVERY: Final = timedelta(seconds=1)
# Who could not do its work for so long, or has just begun to lead, does not know who is dead.
AWAY_AFTER: Final = timedelta(seconds=20)


@dataclass(slots=True)
class _Offered:
    """An offer that NATS has, or has given to a worker at `delivered_at`."""

    offer: handing.Offer
    sequence: int
    delivered_at: datetime | None = None


class Feeder:
    """`tick` offers what waits; `wait` returns when there may be more."""

    def __init__(
        self,
        database: Database,
        signals: shared_broker.SharedBroker,
        *,
        silence: timedelta,
        company_limit: int,
    ) -> None:
        self._database = database
        self._signals = signals
        self._silence = silence
        self._company_limit = company_limit
        self._turns = Turns()
        self._offered: dict[int, _Offered] = {}
        self._repeats: Counter[int] = Counter()
        self._made = ""
        self._is_fed = True
        self._look_for_dead_at = columns.EPOCH
        self._freed_at = columns.EPOCH
        self._is_busy = False

    async def tick(self, now: datetime) -> int:
        """Free what is held up no more, and offer what waits; how many runs."""
        await self._free(now)
        standing = await self._standing(now)
        if standing is None:
            return 0
        ahead = {priority: standing.ahead(priority) for priority in jetstream.PRIORITIES}
        room = {priority: max(shared_broker.BACKLOG - count, 0) for priority, count in ahead.items()}
        published = await self._offer(room, now, standing)
        for priority in jetstream.PRIORITIES:
            ahead[priority] += sum(one.offer.priority <= priority for one in published)
        self._signals.tell_backlog(ahead)
        self._is_busy = bool(published)
        return len(published)

    async def wait(self) -> None:
        """Until a process says that a run may be ready; a second at most."""
        await asyncio.sleep(BUSY_PAUSE_SECONDS if self._is_busy else IDLE_PAUSE_SECONDS)
        await self._signals.wait_for_nudge(POLL_SECONDS)

    async def _free(self, now: datetime) -> None:
        if now >= self._freed_at + AWAY_AFTER:
            # Those who live could not say so while the database was away, and do it first.
            self._look_for_dead_at = now + self._silence / sources.BEATS
        looks_for_dead = now >= self._look_for_dead_at
        if looks_for_dead:
            self._look_for_dead_at = now + DEAD_EVERY
            meters.QUEUE_READY.set(await self._database.read(handing.count_ready, now))
        taken = await self._database.write(_free, now, self._silence if looks_for_dead else None)
        self._freed_at = now
        if taken:
            log.warning("runs_of_dead_workers_queued_again", count=len(taken))

    async def _standing(self, now: datetime) -> jetstream.Standing | None:
        """What NATS holds, after making what is missing there; None while it does not answer."""
        try:
            standing = await self._queue_made()
        except (jetstream.Refused, *FAILURES) as error:
            if self._is_fed:
                log.warning("nats_not_ready", reason=errors.words(error))
            self._is_fed = False
            return None
        self._is_fed = True
        self._learn(standing, now)
        return standing

    async def _queue_made(self) -> jetstream.Standing:
        """A leader that is new makes it as this release wants it."""
        if self._made:
            with contextlib.suppress(jetstream.Refused):
                return await self._signals.queue.standing()
        await self._signals.queue.ensure()
        return await self._signals.queue.standing()

    def _learn(self, standing: jetstream.Standing, now: datetime) -> None:
        """Forget the offers that were taken, or lost with the stream."""
        if standing.made != self._made:
            self._made = standing.made
            self._offered.clear()
        for run_id, known in list(self._offered.items()):
            if known.sequence > standing.last:
                # It was accepted, and lost again with the end of the stream.
                del self._offered[run_id]
                continue
            if known.delivered_at is None and known.sequence <= standing.delivered[known.offer.priority]:
                known.delivered_at = now
            if known.delivered_at is not None and now >= known.delivered_at + AGAIN_AFTER:
                del self._offered[run_id]
        # What is not offered any more was taken, or will be offered anew under a time of its own.
        if len(self._repeats) > 10 * shared_broker.BACKLOG:
            self._repeats.clear()

    async def _offer(
        self, room: Mapping[int, int], now: datetime, standing: jetstream.Standing
    ) -> Sequence[jetstream.Published]:
        offered = {run_id: known.offer for run_id, known in self._offered.items()}
        pending = Counter(
            known.offer.company_id for known in self._offered.values() if known.delivered_at is None
        )
        found = await self._database.read(
            handing.offers, room, now, offered, pending, self._turns, self._company_limit
        )
        published = await self._publish(found)
        # What was offered before, taken, and not begun, as its company had no room then.
        refused = [
            one.offer
            for one in published
            if one.is_old and one.sequence <= standing.delivered[one.offer.priority]
        ]
        return [*published, *await self._publish(refused)]

    async def _publish(self, offers: Sequence[handing.Offer]) -> list[jetstream.Published]:
        named = [(offer, shared_broker.message_id(offer, self._repeats[offer.run_id])) for offer in offers]
        published = await self._signals.queue.publish(named)
        for one in published:
            self._offered[one.offer.run_id] = _Offered(one.offer, one.sequence)
            self._repeats[one.offer.run_id] += 1
        return published


def _free(connection: Connection, now: datetime, silence: timedelta | None) -> list[int]:
    """Let go who waited for runs that have ended, take up whose wait is over, and, with a `silence`, what the dead
    worked on; the ids of those."""
    handing.let_go(connection, now)
    claims.resume_due(connection, now)
    if silence is None:
        return []
    processes.forget_the_dead(connection)
    return processes.requeue(connection, processes.of_the_dead(silence))
