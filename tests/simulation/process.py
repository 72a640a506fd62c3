"""One life of the server: the product's own scheduler, dispatcher, executor and stores, until the process is killed."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from tests.simulation import flows
from tests.simulation.storage import Database

from flowloom import bootstrap, errors
from flowloom.engine import circuits, plan
from flowloom.engine.executor import Executor
from flowloom.runtime import dispatcher, rollup, scheduler, sources, supervisor
from flowloom.services.platform import Platform
from flowloom.settings import Settings
from flowloom.store import blobs, broker, claims, journal, queue, secrets

CONCURRENCY, COMPANY_CONCURRENCY = 4, 3
ROLLUP_SECONDS = 240.0
# A poll is for what signals have missed; that it is rare makes a seed cheap.
POLLS = 20


class Killed(BaseException):
    """The process dies here."""


class _Broker(broker.Broker):
    async def wait_for_work(self, timeout_seconds: float) -> None:
        await super().wait_for_work(POLLS * timeout_seconds)


@functools.cache
def _settings() -> Settings:
    return Settings(secret_key="a secret key for the simulation")


@functools.cache
def _vault() -> secrets.Vault:
    return secrets.Vault(secrets.load_key(_settings()))


@functools.cache
def _compiled(content_hash: str) -> plan.Plan:
    return plan.compile(flows.BY_HASH[content_hash])


def load_plan(_connection: Connection, content_hash: str) -> plan.Plan:
    """The plan of a definition, compiled once for all seeds."""
    return _compiled(content_hash)


class Process:
    """Everything that is lost with a process. `armed` is a crash point and the arrival there that kills it."""

    def __init__(
        self,
        database: Database,
        http: Any,
        clock: Callable[[], datetime],
        random: Callable[[], float],
        armed: tuple[str, int] | None,
        stop_loop: Callable[[], None],
    ) -> None:
        self.database = database
        self._armed = armed
        self._stop_loop = stop_loop
        self._reached: Counter[str] = Counter()
        ids, signals = queue.RunIds(), _Broker()
        written = journal.Journal(database, ids, self.reach)
        stored = blobs.open_blobs(None, Path("simulated"), clock)
        self.platform = Platform(
            settings=_settings(),
            database=database,
            journal=written,
            run_ids=ids,
            broker=signals,
            blobs=stored,
            vault=_vault(),
            circuits=circuits.Circuits(),
            clock=clock,
        )
        around = bootstrap.surroundings(self.platform, http, self.reach, asyncio.sleep)
        around = dataclasses.replace(around, random=random)
        self.executor = Executor(around)
        source = sources.OwnQueue(database, concurrency=CONCURRENCY, company_concurrency=COMPANY_CONCURRENCY)
        self.dispatcher = dispatcher.Dispatcher(
            source, signals, self.executor, concurrency=CONCURRENCY, drain_seconds=5
        )
        self._scheduler = scheduler.Scheduler(database, ids, signals, clock, self.reach)
        self._rollup = rollup.Rollup(database)
        loops = [
            supervisor.Loop("dispatcher", self.dispatcher.tick, self.dispatcher.wait),
            supervisor.Loop("scheduler", self._scheduler.tick, self._scheduler.wait),
            supervisor.Loop("rollup", self._rollup.tick, lambda: asyncio.sleep(ROLLUP_SECONDS)),
        ]
        self._loops = supervisor.Supervisor(loops, clock)

    @property
    def is_dead(self) -> bool:
        return self.database.disk.is_dead

    def over_its_caps(self) -> list[str]:
        """The companies of which more runs are worked on than they may have."""
        running = self.dispatcher._per_company
        return [
            f"{running[id]} runs of company {id} at once"
            for id, limit in flows.COMPANIES.items()
            if running[id] > (limit or COMPANY_CONCURRENCY)
        ]

    async def boot(self) -> None:
        """What a server does when it starts; without a database it starts again."""
        while True:
            try:
                await self.database.write_grouped(claims.requeue_abandoned)
            except errors.Busy:
                await asyncio.sleep(1.0)
            else:
                break
        self._loops.start()

    def reach(self, point: str) -> None:
        """Die here if this is the point, and the arrival, that the seed has chosen."""
        self._reached[point] += 1
        if (point, self._reached[point]) == self._armed:
            self.kill()
            raise Killed(point)

    def kill(self) -> None:
        """Nothing is committed from here on, and the loop goes no further."""
        self.database.disk.is_dead = True
        self._stop_loop()

    def disarm(self) -> None:
        self._armed = None
