"""Puts a server together: settings in, a running application out. The one place that knows all parts."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from starlette.applications import Starlette

from flowloom import duties
from flowloom.api import app as application
from flowloom.api import call, limits
from flowloom.engine import calls, circuits, faults, patience, systems, tokens, tracing, turns
from flowloom.engine.executor import Executor
from flowloom.engine.http import Client
from flowloom.engine.inspection import Inspector
from flowloom.engine.probes import Probes
from flowloom.engine.shared_circuits import SharedCircuits
from flowloom.engine.surroundings import Surroundings
from flowloom.engine.trial import Trials
from flowloom.services import principals, remembered
from flowloom.services.platform import Platform
from flowloom.settings import Settings
from flowloom.store import (
    blobs,
    bookings,
    broker,
    connections,
    database,
    journal,
    processes,
    queue,
    schema,
    secret_variables,
    secrets,
)

SERVES_API = (duties.Role.ALONE, duties.Role.API)


def utc_now() -> datetime:
    """The clock of a real server."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Server:
    """Everything of one process. `app` starts and stops what it does with its lifespan."""

    platform: Platform
    app: Starlette
    duty: duties.Duty
    loops: duties.Loops


def open_platform(
    settings: Settings,
    clock: Callable[[], datetime] = utc_now,
    reach: Callable[[str], None] = faults.Faults().reach,
) -> Platform:
    """Open the stores of these settings; the database is migrated already."""
    opened = database.Database(settings.database_url)
    ids, signals = queue.RunIds(), _broker(settings)
    is_shared = settings.nats_url is not None
    return Platform(
        settings=settings,
        database=opened,
        journal=journal.Journal(opened, ids, reach, fenced=is_shared),
        run_ids=ids,
        broker=signals,
        blobs=blobs.open_blobs(settings.blob_url, settings.data_dir, clock),
        vault=secrets.Vault(secrets.load_key(settings)),
        circuits=SharedCircuits(opened, signals, clock) if is_shared else circuits.Circuits(),
        clock=clock,
    )


def _broker(settings: Settings) -> broker.Broker:
    if settings.nats_url is None:
        return broker.Broker()
    from flowloom.store import shared_broker, wire  # and with them the client of NATS

    return shared_broker.SharedBroker(
        wire.Wire(settings.nats_url.split(","), processes.name()),
        settings.nats_prefix,
        settings.worker_timeout_seconds,
        settings.nats_replicas,
    )


def build(
    platform: Platform,
    *,
    role: duties.Role = duties.Role.ALONE,
    reach: Callable[[str], None] = faults.Faults().reach,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    with_loops: bool = True,
    traces: tracing.Tracing = tracing.OFF,
) -> Server:
    """A server over a platform. Without loops, tests turn them by hand."""
    http = Client(platform.settings.outbound_allow)
    around = surroundings(platform, http, reach, sleep, traces)
    executor, inspector, trials = Executor(around), Inspector(around), Trials(around)
    means = duties.Means(executor, http, sleep, reach)
    loops = duties.Loops(platform, means)
    duty = duties.of(role, platform, means, loops)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await platform.broker.start()
        await platform.circuits.start()
        if with_loops:
            await duty.start()
        yield
        platform.broker.close_watchers()
        await duty.stop()
        await around.calls.close()
        await http.close()
        await traces.close()
        executor.close()
        inspector.close()
        trials.close()
        around.systems.close()
        await platform.broker.stop()
        platform.database.close()

    doors = _doors(platform, duty, inspector, trials, Probes(around))
    make = application.create if role in SERVES_API else application.create_silent
    return Server(platform, make(doors, lifespan), duty, loops)


def _systems(platform: Platform, http: Client) -> systems.Systems:
    stored = platform.database
    own = Path(stored.url.database) if stored.is_sqlite and stored.url.database else None
    return systems.Systems(http.reachable, platform.settings.data_dir, own)


def _doors(
    platform: Platform, duty: duties.Duty, inspector: Inspector, trials: Trials, probes: Probes
) -> call.Doors:
    async def readiness() -> list[str]:
        stale = duty.faults()
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
        probes=probes,
    )


def surroundings(
    platform: Platform,
    http: Client,
    reach: Callable[[str], None],
    sleep: Callable[[float], Awaitable[None]],
    traces: tracing.Tracing = tracing.OFF,
) -> Surroundings:
    """What runs are executed with."""
    database, vault = platform.database, platform.vault

    async def load_connection(company_id: int, id: int) -> connections.Connection:
        return await database.read(connections.load, vault, company_id, id)

    async def load_secrets(company_id: int, content_hash: str) -> Mapping[str, str]:
        return await database.read(secret_variables.of_definition, vault, company_id, content_hash)

    async def rotate(connection: connections.Connection, secret: Mapping[str, str]) -> None:
        await database.write(connections.rotate, vault, connection, secret)

    async def book(connection_id: int, per_second: float, burst: float) -> float:
        asked = connection_id, per_second, burst
        return await patience.patiently(lambda: database.write(bookings.book, *asked), sleep)

    def renewing(connection_id: int) -> AbstractAsyncContextManager[None]:
        return database.alone(f"token {connection_id}")

    is_shared = platform.settings.nats_url is not None
    calling = calls.Calls(
        http,
        tokens.Tokens(http, platform.clock, sleep, load_connection, rotate, renewing),
        turns.Turns(platform.clock, sleep, platform.broker.wake, book if is_shared else None),
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
        tracing=traces,
    )
