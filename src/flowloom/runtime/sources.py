"""Where the dispatcher has its runs from: a queue of its own, or what is handed to it as one of many workers."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog
from sqlalchemy import Connection

from flowloom import errors
from flowloom.domain.fullness import Fullness
from flowloom.domain.turns import Turns
from flowloom.store import claims, columns, handing, journal, processes, recall
from flowloom.store.database import Database

log = structlog.get_logger(__name__)
LOST_RUNS_EVERY: Final = timedelta(minutes=1)
# How often a worker says that it lives, in the time of silence after which it counts as dead.
BEATS: Final = 4


@dataclass(slots=True)
class Orders:
    """What is to become of runs that are worked on: a stop was asked for, or another worker has them now."""

    stop: list[int] = field(default_factory=list)
    drop: list[int] = field(default_factory=list)


class Handout(Protocol):
    """Hands ids of runs to this process, and to no other until it says that they are done."""

    async def take(self, room: int) -> Sequence[int]:
        """Up to `room` ids; none when nothing waits."""

    def refuse(self) -> None:
        """There is no room for any."""

    def done(self, run_ids: Collection[int]) -> None:
        """These need nobody any more."""

    def put_back(self, run_ids: Collection[int]) -> None:
        """These are for somebody else."""

    def put_off(self, run_ids: Collection[int]) -> None:
        """These are for anybody, after a while."""


class Source(Protocol):
    """Gives runs to a dispatcher."""

    async def look_after(self, now: datetime, working: Mapping[int, int]) -> Orders:
        """Now and then: queue again what nobody works on. `working` has the fences of the runs worked on here."""

    async def claim(self, room: int, now: datetime, running: Mapping[int, int]) -> Sequence[recall.Claimed]:
        """Up to `room` runs to work on. `running` counts by company those that are worked on here."""

    def is_full(self, now: datetime, running: Mapping[int, int]) -> None:
        """There is no room for any."""

    def ended(self, run_id: int) -> None:
        """A run needs no work any more, for now or for good."""

    async def hand_back(self) -> None:
        """Nothing is worked on here any more: what was begun is for others, or the next start."""


class OwnQueue:
    """The queue in the database, of a server that nobody else works on."""

    def __init__(self, database: Database, *, concurrency: int, company_concurrency: int) -> None:
        self._database = database
        self._concurrency = concurrency
        self._company_concurrency = company_concurrency
        self._turns = Turns()
        self._full = Fullness(concurrency)
        self._look_again_at = columns.EPOCH

    async def look_after(self, now: datetime, working: Mapping[int, int]) -> Orders:
        """Once a minute, queue again what is started yet not worked on: its claim was committed but not heard of."""
        if now >= self._look_again_at:
            self._look_again_at = now + LOST_RUNS_EVERY
            ids = set(working)
            await self._database.write_grouped(lambda db: claims.requeue_abandoned(db, ids))
        return Orders()

    async def claim(self, room: int, now: datetime, running: Mapping[int, int]) -> Sequence[recall.Claimed]:
        limit = self._company_concurrency
        # What a claim that failed has learned is not sure.
        full, self._full = self._full, Fullness(self._concurrency)
        claimed = await self._database.write_grouped(
            lambda db: claim(db, room, now, running, limit, self._turns, full)
        )
        self._full = full
        return claimed

    def is_full(self, now: datetime, running: Mapping[int, int]) -> None:
        self._full.server_is_full(now, running)

    def ended(self, run_id: int) -> None:
        """The row says so."""

    async def hand_back(self) -> None:
        # Without a database the next start does it.
        with contextlib.suppress(errors.Busy):
            await self._database.write_grouped(claims.requeue_abandoned)


class Handed:
    """What is handed to this worker. It says that it lives, and asks which of its runs are still its own."""

    def __init__(
        self, database: Database, handout: Handout, member: processes.Member, company_limit: int
    ) -> None:
        self._database = database
        self._handout = handout
        self._member = member
        self._company_limit = company_limit
        self._look_again_at = columns.EPOCH
        self._doubtful: frozenset[int] = frozenset()

    async def look_after(self, now: datetime, working: Mapping[int, int]) -> Orders:
        """Say that it lives. What the database says it works on and it does not was claimed unheard: it goes back."""
        if now < self._look_again_at:
            return Orders()
        mine = await self._database.write(_look_after, self._member, dict(working))
        # Only now: after a database that was away it is said at once.
        self._look_again_at = now + self._member.silence / BEATS
        foreign = {id for id, fence in working.items() if mine.get(id, (None, False))[0] != fence}
        # One that has just ended is on its way out by itself.
        dropped, self._doubtful = foreign & self._doubtful, frozenset(foreign)
        return Orders([id for id, (_, is_stopped) in mine.items() if is_stopped], sorted(dropped))

    async def claim(self, room: int, now: datetime, running: Mapping[int, int]) -> Sequence[recall.Claimed]:
        ids = await self._handout.take(room)
        left = set(ids)
        try:
            return await self._claim(ids, now, left) if ids else []
        except errors.Busy:
            raise
        except Exception:
            # One run whose past cannot be read keeps no other from being claimed.
            if not (claimed := await self._claim_each(ids, now, left)):
                raise
            return claimed
        finally:
            self._handout.put_back(left)

    async def _claim(self, ids: Sequence[int], now: datetime, left: set[int]) -> Sequence[recall.Claimed]:
        """Take from what is `left` those that are settled: worked on here, or no more to be worked on."""
        worker = handing.Worker(self._member.id, self._company_limit, self._member.silence)
        claimed = await self._database.write(_claim_handed, ids, now, worker)
        left.difference_update(ids)
        self._handout.done(set(ids).difference(one.row.id for one in claimed))
        return claimed

    async def _claim_each(self, ids: Sequence[int], now: datetime, left: set[int]) -> list[recall.Claimed]:
        claimed: list[recall.Claimed] = []
        for id in ids:
            try:
                claimed += await self._claim([id], now, left)
            except errors.Busy:
                break
            except Exception as error:  # noqa: BLE001 - the next one may be well
                log.warning("run_not_claimed", run_id=id, reason=errors.words(error))
                left.discard(id)
                self._handout.put_off([id])
        return claimed

    def is_full(self, now: datetime, running: Mapping[int, int]) -> None:
        self._handout.refuse()

    def ended(self, run_id: int) -> None:
        self._handout.done([run_id])

    async def hand_back(self) -> None:
        # Without a database others find out by this worker's silence.
        with contextlib.suppress(errors.Busy):
            await self._database.write(processes.leave, self._member.id)


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
    _count_started(connection, claimed, now)
    return claimed


def _claim_handed(
    connection: Connection, ids: Sequence[int], now: datetime, worker: handing.Worker
) -> list[recall.Claimed]:
    claimed = handing.claim(connection, ids, now, worker)
    _count_started(connection, claimed, now)
    return claimed


def _count_started(connection: Connection, claimed: Collection[recall.Claimed], now: datetime) -> None:
    minute = now.replace(second=0, microsecond=0)
    started = Counter(
        (one.row.flow_id, one.row.flow_version_id, one.row.iteration, minute, "runs", "started")
        for one in claimed
        if one.row.fence == 1
    )
    journal.add_deltas(connection, started)


def _look_after(
    connection: Connection, member: processes.Member, working: Mapping[int, int]
) -> dict[int, tuple[int, bool]]:
    processes.beat(connection, member, len(working))
    return processes.worked_on(connection, member.id, working)
