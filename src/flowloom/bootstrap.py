"""Puts a server together: settings in, a running application out. The one place that knows all parts."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from starlette.applications import Starlette

from flowloom.api import app as application
from flowloom.api import call, limits
from flowloom.engine import calls, circuits, faults, meters, systems, tokens, turns
from flowloom.engine.executor import Executor
from flowloom.engine.http import Client
from flowloom.engine.inspection import Inspector
from flowloom.engine.mail import Mailer
from flowloom.engine.surroundings import Surroundings
from flowloom.engine.trial import Trials
from flowloom.runtime import dispatcher, notifier, pruner, rollup, scheduler, supervisor
from flowloom.services import principals, remembered
from flowloom.services.platform import Platform
from flowloom.settings import Settings
from flowloom.store import (
    blobs,
    broker,
    claims,
    connections,
    database,
    journal,
    queue,
    schema,
    secret_variables,
    secrets,
)

ROLLUP_SECONDS = 5.0
PRUNE_SECONDS = 600.0


def utc_now() -> datetime:
    """The clock of a real server."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Server:
    """Everything of one process. `app` starts and stops the loops with its lifespan."""

    platform: Platform
    app: Starlette
    dispatcher: dispatcher.Dispatcher
    scheduler: scheduler.Scheduler
    rollup: rollup.Rollup
    pruner: pruner.Pruner
    notifier: notifier.Notifier


def open_platform(
    settings: Settings,
    clock: Callable[[], datetime] = utc_now,
    reach: Callable[[str], None] = faults.Faults().reach,
) -> Platform:
    """Open the stores of these settings; the database is migrated already."""
    opened = database.Database(settings.database_url)
    ids = queue.RunIds()
    return Platform(
        settings=settings,
        database=opened,
        journal=journal.Journal(opened, ids, reach),
        run_ids=ids,
        broker=broker.Broker(),
        blobs=blobs.Blobs(settings.data_dir / "blobs"),
        vault=secrets.Vault(secrets.load_key(settings)),
        circuits=circuits.Circuits(),
        clock=clock,
    )


def build(
    platform: Platform,
    *,
    reach: Callable[[str], None] = faults.Faults().reach,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    with_loops: bool = True,
) -> Server:
    """A server over a platform. Without loops, tests turn them by hand."""
    http = Client(platform.settings.outbound_allow)
    around = surroundings(platform, http, reach, sleep)
    executor, inspector, trials = Executor(around), Inspector(around), Trials(around)
    dispatching = _dispatcher(platform, executor)
    scheduling = scheduler.Scheduler(
        platform.database, platform.run_ids, platform.broker, platform.clock, reach
    )
    rolling, pruning = rollup.Rollup(platform.database), _pruner(platform, reach)
    mailer = Mailer(platform.settings.smtp_url, platform.settings.smtp_from)
    notifying = notifier.Notifier(
        platform.database, platform.vault, http, mailer, platform.clock, sleep, reach
    )
    turning = [
        supervisor.Loop("dispatcher", dispatching.tick, dispatching.wait),
        supervisor.Loop("scheduler", scheduling.tick, scheduling.wait),
        supervisor.Loop("rollup", rolling.tick, lambda: asyncio.sleep(ROLLUP_SECONDS)),
        supervisor.Loop("pruner", pruning.tick, lambda: asyncio.sleep(PRUNE_SECONDS)),
        supervisor.Loop("notifier", notifying.tick, notifying.wait),
    ]
    loops = supervisor.Supervisor(turning if with_loops else [], platform.clock)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        if with_loops:
            await platform.database.write_grouped(claims.requeue_abandoned)
        loops.start()
        yield
        platform.broker.close_watchers()
        await loops.stop()
        await dispatching.drain()
        await notifying.stop()
        await around.calls.close()
        await http.close()
        executor.close()
        inspector.close()
        trials.close()
        around.systems.close()
        platform.database.close()

    app = application.create(_doors(platform, loops, inspector, trials), lifespan)
    return Server(platform, app, dispatching, scheduling, rolling, pruning, notifying)


def _systems(platform: Platform, http: Client) -> systems.Systems:
    stored = platform.database
    own = Path(stored.url.database) if stored.is_sqlite and stored.url.database else None
    return systems.Systems(http.reachable, platform.settings.data_dir, own)


def _dispatcher(platform: Platform, executor: Executor) -> dispatcher.Dispatcher:
    made = dispatcher.Dispatcher(
        platform.database,
        platform.broker,
        executor,
        concurrency=platform.settings.concurrency,
        company_concurrency=platform.settings.company_concurrency,
    )
    meters.RUNS_WORKED_ON.set_function(lambda: made.running)
    return made


def _pruner(platform: Platform, reach: Callable[[str], None]) -> pruner.Pruner:
    days = pruner.Days(
        logs=platform.settings.log_retention_days,
        payloads=platform.settings.payload_retention_days,
        minutes=platform.settings.metric_retention_days,
    )
    return pruner.Pruner(platform.database, platform.blobs, days, reach)


def _doors(
    platform: Platform, loops: supervisor.Supervisor, inspector: Inspector, trials: Trials
) -> call.Doors:
    async def readiness() -> list[str]:
        stale = [f"the {name} does not turn" for name in loops.stale()]
        unwritten = await asyncio.to_thread(platform.blobs.faults)
        return stale + await platform.database.probe(schema.faults) + unwritten

    return call.Doors(
        platform=platform,
        principals=principals.Principals(platform),
        rate=limits.RateLimit(platform.settings.rate_limit),
        logins=limits.LoginThrottle(),
        hooks=remembered.Remembered(),
        readiness=readiness,
        inspector=inspector,
        trials=trials,
    )


def surroundings(
    platform: Platform, http: Client, reach: Callable[[str], None], sleep: Callable[[float], Awaitable[None]]
) -> Surroundings:
    """What runs are executed with."""
    database, vault = platform.database, platform.vault

    async def load_connection(company_id: int, id: int) -> connections.Connection:
        return await database.read(connections.load, vault, company_id, id)

    async def load_secrets(company_id: int, content_hash: str) -> Mapping[str, str]:
        return await database.read(secret_variables.of_definition, vault, company_id, content_hash)

    async def rotate(connection: connections.Connection, secret: Mapping[str, str]) -> None:
        await database.write(connections.rotate, vault, connection, secret)

    calling = calls.Calls(
        http,
        tokens.Tokens(http, platform.clock, sleep, load_connection, rotate),
        turns.Turns(platform.clock, sleep, platform.broker.wake),
        platform.circuits,
        platform.clock,
    )
    return Surroundings(
        database=platform.database,
        journal=platform.journal,
        broker=platform.broker,
        blobs=platform.blobs,
        calls=calling,
        systems=_systems(platform, http),
        load_connection=load_connection,
        load_secrets=load_secrets,
        clock=platform.clock,
        sleep=sleep,
        random=random.random,
        reach=reach,
    )
