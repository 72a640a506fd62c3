"""What the process of each role does: which loops turn in it, and how it begins and ends to do so."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

from flowloom.engine import meters
from flowloom.engine.executor import Executor
from flowloom.engine.http import Client
from flowloom.engine.mail import Mailer
from flowloom.runtime import dispatcher, heartbeat, leader, notifier, pruner, rollup, scheduler, sources
from flowloom.runtime.supervisor import Loop, Supervisor
from flowloom.services.platform import Platform
from flowloom.store import claims, lease, processes

if TYPE_CHECKING:
    from flowloom.store.shared_broker import SharedBroker

ROLLUP_SECONDS: Final = 5.0
PRUNE_SECONDS: Final = 600.0


class Role(enum.StrEnum):
    """What a process is for. One that is alone does everything; of the others any number work together."""

    ALONE = "alone"
    API = "api"
    WORKER = "worker"
    SCHEDULER = "scheduler"


@dataclass(frozen=True, slots=True)
class Means:
    """What loops work with, besides the platform. `reach` is told the named crash points."""

    executor: Executor
    http: Client
    sleep: Callable[[float], Awaitable[None]]
    reach: Callable[[str], None]


class Loops:
    """Every loop there is, each made once; which of them turn is for the role to say."""

    def __init__(self, platform: Platform, means: Means) -> None:
        self.scheduler = scheduler.Scheduler(
            platform.database, platform.run_ids, platform.broker, platform.clock, means.reach
        )
        self.rollup = rollup.Rollup(platform.database)
        self.pruner = _pruner(platform, means.reach)
        self.notifier = _notifier(platform, means)

    def leading(self) -> list[Loop]:
        """What one process does for all."""
        return [
            Loop("scheduler", self.scheduler.tick, self.scheduler.wait),
            Loop("rollup", self.rollup.tick, lambda: asyncio.sleep(ROLLUP_SECONDS)),
            Loop("pruner", self.pruner.tick, lambda: asyncio.sleep(PRUNE_SECONDS)),
            Loop("notifier", self.notifier.tick, self.notifier.wait),
        ]


class Alone:
    """A server that does everything itself."""

    def __init__(self, platform: Platform, means: Means, loops: Loops) -> None:
        settings, self._database = platform.settings, platform.database
        source = sources.OwnQueue(
            platform.database,
            concurrency=settings.concurrency,
            company_concurrency=settings.company_concurrency,
        )
        self.dispatcher = _dispatcher(platform, means.executor, source)
        self._loops = loops
        dispatching = Loop("dispatcher", self.dispatcher.tick, self.dispatcher.wait)
        self._supervisor = Supervisor([dispatching, *loops.leading()], platform.clock)

    async def start(self) -> None:
        await self._database.write_grouped(claims.requeue_abandoned)
        self._supervisor.start()

    def faults(self) -> list[str]:
        """Which loops do not turn."""
        return self._supervisor.faults()

    async def stop(self) -> None:
        await self._supervisor.stop()
        await self.dispatcher.drain()
        await self._loops.notifier.stop()


class Worker:
    """Runs what is handed to it."""

    def __init__(self, platform: Platform, means: Means, member: processes.Member) -> None:
        self._broker = shared(platform)
        source = sources.Handed(
            platform.database, self._broker.deliveries, member, platform.settings.company_concurrency
        )
        self.dispatcher = _dispatcher(platform, means.executor, source)
        self._supervisor = Supervisor(
            [Loop("dispatcher", self.dispatcher.tick, self.dispatcher.wait)], platform.clock
        )

    async def start(self) -> None:
        self._supervisor.start()

    def faults(self) -> list[str]:
        """Which loops do not turn, and that nothing is handed to it."""
        return self._supervisor.faults() + self._broker.faults()

    async def stop(self) -> None:
        await self._supervisor.stop()
        await self.dispatcher.drain()


class Candidate:
    """Runs nothing, and leads if no other does."""

    def __init__(self, platform: Platform, loops: Loops, member: processes.Member) -> None:
        self._loops = loops
        self._heartbeat = heartbeat.Heartbeat(platform.database, member)
        leads = lease.Lease(platform.database, lease.Kind.LEADER)
        self.leader = leader.Leader(
            leads, Supervisor([_feeding(platform, member), *loops.leading()], platform.clock)
        )
        beating = Loop("heartbeat", self._heartbeat.tick, self._heartbeat.wait)
        self._supervisor = Supervisor(
            [Loop("leader", self.leader.tick, self.leader.wait), beating], platform.clock
        )

    async def start(self) -> None:
        self._supervisor.start()

    def faults(self) -> list[str]:
        """Which loops do not turn. Without NATS what is started is kept, and begins later."""
        return self._supervisor.faults() + self.leader.faults()

    async def stop(self) -> None:
        await self._supervisor.stop()
        await self.leader.stop()
        await self._loops.notifier.stop()
        await self._heartbeat.stop()


Duty = Alone | Worker | Candidate


def of(role: Role, platform: Platform, means: Means, loops: Loops) -> Duty:
    """What a process of this role does."""
    if role is Role.ALONE:
        return Alone(platform, means, loops)
    silence = timedelta(seconds=platform.settings.worker_timeout_seconds)
    concurrency = platform.settings.concurrency if role is Role.WORKER else 0
    key = platform.vault.digest("processes")
    member = platform.database.write_now(processes.register, role.value, concurrency, silence, key)
    if role is Role.WORKER:
        return Worker(platform, means, member)
    return Candidate(platform, loops, member)


def shared(platform: Platform) -> SharedBroker:
    """The broker of processes that work together."""
    return cast("SharedBroker", platform.broker)


def _feeding(platform: Platform, member: processes.Member) -> Loop:
    from flowloom.runtime import feeder  # and with it the client of NATS

    limit = platform.settings.company_concurrency
    made = feeder.Feeder(platform.database, shared(platform), silence=member.silence, company_limit=limit)
    return Loop("feeder", made.tick, made.wait)


def _dispatcher(platform: Platform, executor: Executor, source: sources.Source) -> dispatcher.Dispatcher:
    settings = platform.settings
    made = dispatcher.Dispatcher(
        source,
        platform.broker,
        executor,
        concurrency=settings.concurrency,
        drain_seconds=settings.drain_seconds,
    )
    meters.RUNS_WORKED_ON.set_function(lambda: made.running)
    return made


def _notifier(platform: Platform, means: Means) -> notifier.Notifier:
    mailer = Mailer(platform.settings.smtp_url, platform.settings.smtp_from)
    return notifier.Notifier(
        platform.database, platform.vault, means.http, mailer, platform.clock, means.sleep, means.reach
    )


def _pruner(platform: Platform, reach: Callable[[str], None]) -> pruner.Pruner:
    days = pruner.Days(
        logs=platform.settings.log_retention_days,
        payloads=platform.settings.payload_retention_days,
        minutes=platform.settings.metric_retention_days,
    )
    return pruner.Pruner(platform.database, platform.blobs, days, reach)
