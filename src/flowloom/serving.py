"""Serving: migrates, prepares the first start, and runs uvicorn until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import os
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any, TextIO

import structlog
import uvicorn
import uvloop
from sqlalchemy import Connection

from flowloom import bootstrap, errors
from flowloom.api import protocol
from flowloom.demo import samples, shop
from flowloom.duties import Role
from flowloom.engine import faults, telemetry, tracing
from flowloom.services import first_start, keys
from flowloom.services.actor import Actor
from flowloom.services.platform import Platform
from flowloom.settings import Settings
from flowloom.store import lease, rights, schema
from flowloom.store.lease import Kind

BACKLOG = 2048
LAST_PORT = 65_535
GC_THRESHOLD = 10_000
SWITCH_SECONDS = 0.0005
LEASE_CHECK_SECONDS = 5.0
WORKS_ON_RUNS = (Role.ALONE, Role.WORKER)

log = structlog.get_logger(__name__)


def configure_logs(settings: Settings) -> None:
    """Text on a terminal, JSON otherwise; tracebacks without the values of variables, which may be secret."""
    is_text = settings.log_format == "text" or (settings.log_format == "auto" and sys.stderr.isatty())
    renderer: Any = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if is_text
        else structlog.processors.JSONRenderer()
    )
    stream: Any = Lossy(sys.stderr)
    shared: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        *([] if is_text else [structlog.processors.format_exc_info]),
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(20),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )


class Lossy(io.TextIOBase):
    """A stream that drops what cannot be written: nothing shall end because the log's disk is full."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()


def open_platform(settings: Settings) -> tuple[Platform, faults.Faults]:
    """The stores, migrated, with the crash points that the environment arms."""
    if settings.nats_url is not None and settings.database_url.startswith("sqlite"):
        raise errors.Invalid.field(
            "FLOWLOOM_NATS_URL",
            "Several processes need PostgreSQL: set FLOWLOOM_DATABASE_URL to postgresql://..., "
            "or unset FLOWLOOM_NATS_URL.",
        )
    settings.data_dir.mkdir(rights.DIRECTORY_MODE, parents=True, exist_ok=True)
    schema.upgrade(settings.database_url)
    armed = faults.Faults.from_environ(os.environ)
    return bootstrap.open_platform(settings, reach=armed.reach), armed


def serve(settings: Settings) -> None:
    """Serve until a signal comes; with NATS the API alone, and others do the runs."""
    platform, armed = open_platform(settings)
    is_alone = settings.nats_url is None
    role, kind = (Role.ALONE, Kind.ALONE) if is_alone else (Role.API, Kind.TOGETHER)
    with lease.Lease(platform.database, kind) as held:
        welcome = first_start.prepare(platform)
        if welcome is not None and welcome.generated_password is not None:
            say("First start. Sign in as:")
            say(f"  e-mail    {welcome.email}")
            say(f"  password  {welcome.generated_password}   (shown this once)")
        _run("Flowloom", _built(platform, armed, role), held)


def work_together(settings: Settings, role: Role) -> None:
    """Be one of several processes that serve no API, until a signal comes. Raises Invalid without NATS."""
    if settings.nats_url is None:
        raise errors.Invalid.field(
            "FLOWLOOM_NATS_URL",
            f"A {role} works with other processes, which NATS connects: set FLOWLOOM_NATS_URL, or use "
            "`flowloom serve`, which does everything in one process.",
        )
    platform, armed = open_platform(settings)
    with lease.Lease(platform.database, Kind.TOGETHER) as held:
        _run(f"Flowloom {role}", _built(platform, armed, role), held)


def _built(platform: Platform, armed: faults.Faults, role: Role) -> bootstrap.Server:
    """A server that tells its traces, if it works on runs and a collector is named."""
    traces = telemetry.from_environ(os.environ, role) if role in WORKS_ON_RUNS else tracing.OFF
    return bootstrap.build(platform, role=role, reach=armed.reach, traces=traces)


def _run(name: str, server: bootstrap.Server, held: lease.Lease) -> None:
    main, main_socket = listen_as_told(server)
    say(f"{name} on {address(server.platform.settings.host, main_socket)}")
    tune_interpreter()
    uvloop.run(run_all([(main, main_socket)], held))


def demo(settings: Settings) -> None:
    """Serve with a sample flow against the built-in sample shop on the next port, if there is one."""
    shop_app = shop.create_app(login=samples.LOGIN)
    shop_server, shop_socket = listen(shop_app, "127.0.0.1", shop_port(settings.port))
    shop_url = address("127.0.0.1", shop_socket)
    shop_host = shop_url.removeprefix("http://")
    # It is one process, also where others would work together.
    changes = {"outbound_allow": (*settings.outbound_allow, shop_host), "nats_url": None}
    allowed = settings.model_copy(update=changes)
    platform, armed = open_platform(allowed)
    with lease.Lease(platform.database) as held:
        server = _built(platform, armed, Role.ALONE)
        main, main_socket = listen_as_told(server)
        base = address(settings.host, main_socket)
        sample = _Sample(platform, shop_url)
        welcome = first_start.prepare(platform, sample.plant)
        if welcome is not None:
            greet(base, welcome, sample)
        else:
            platform.database.write_now(samples.move_shop, shop_url)
            say(f"Flowloom on {base}, with everything as it was. Sample shop: {shop_url}")
        tune_interpreter()
        uvloop.run(run_all([(main, main_socket), (shop_server, shop_socket)], held))


def shop_port(port: int) -> int:
    """The port after a given one; 0, any that is free, after the last one and after any."""
    return port + 1 if 0 < port < LAST_PORT else 0


def address(host: str, bound: socket.socket) -> str:
    """The URL of a server, as it can be pasted."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{bound.getsockname()[1]}"


def tune_interpreter() -> None:
    """Let threads take turns ten times as often, so that a big run in one holds up no webhook in another, and let
    the garbage collector pass over what start-up made and come less often: it was a third of a small run's time."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 10, 50)
    gc.enable()


class _Sample:
    """The sample flow and an API key to start it with."""

    def __init__(self, platform: Platform, shop_url: str) -> None:
        self.shop_url = shop_url
        self.key = keys.generate()
        self.flow_id = 0
        self._vault = platform.vault

    def plant(self, connection: Connection, actor: Actor) -> None:
        keys.create(connection, actor, "Demo", self.key)
        self.flow_id = samples.plant(connection, actor, self._vault, self.shop_url)


def greet(base: str, welcome: first_start.Welcome, sample: _Sample) -> None:
    """Tell how to go on: where, who, and three commands that work when pasted."""
    say(f"Flowloom     {base}   (API: {base}/docs)")
    say(f"Sample shop  {sample.shop_url}")
    say(f"e-mail       {welcome.email}")
    if welcome.generated_password is not None:
        say(f"password     {welcome.generated_password}   (shown this once)")
    say(f"API key      {sample.key}   (shown this once)")
    say("\nStart the sample flow, see its run, see what the warehouse received:\n")
    say(f"curl -s -X POST -H 'Authorization: {sample.key}' '{base}/api/v1/flows/{sample.flow_id}/start'")
    say(f"curl -s -H 'Authorization: {sample.key}' '{base}/api/v1/flow-runs?per_page=1'")
    say(f"curl -s -H 'X-Shop-Key: {samples.LOGIN}' {sample.shop_url}/warehouse/received\n")


def say(text: str) -> None:
    """A line for the person at the terminal."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class _Server(uvicorn.Server):
    """Ends streams of events as soon as it is told to stop: it would else wait for them until its time is up."""

    def __init__(self, config: uvicorn.Config, end_streams: Callable[[], None]) -> None:
        super().__init__(config)
        self._end_streams = end_streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end_streams()
        await super().shutdown(sockets)


def listen_as_told(server: bootstrap.Server) -> tuple[uvicorn.Server, socket.socket]:
    """A server of Flowloom's API where its settings say."""
    settings, broker = server.platform.settings, server.platform.broker
    return listen(
        server.app, settings.host, settings.port, settings.trusted_proxies, end_streams=broker.close_watchers
    )


def listen(
    app: Any,
    host: str,
    port: int,
    trusted_proxies: Sequence[str] = (),
    end_streams: Callable[[], None] = lambda: None,
) -> tuple[uvicorn.Server, socket.socket]:
    """A server with its socket bound, so that its port is known before it begins to answer."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        loop="uvloop",
        http=protocol.Protocol,
        ws="none",
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
        timeout_graceful_shutdown=5,
    )
    return _Server(config, end_streams), _bind(host, port)


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise errors.Conflict(
            f"Cannot listen on {host}, port {port} ({error.strerror}); free it, or choose with --host and --port."
        ) from error


async def run_all(servers: Sequence[tuple[uvicorn.Server, socket.socket]], held: lease.Lease) -> None:
    """Run servers side by side; the first that ends takes the others with it, and so does a lost lease."""
    tasks = [asyncio.create_task(server.serve(sockets=[bound])) for server, bound in servers]
    watch = asyncio.create_task(_lose(held))
    await asyncio.wait([*tasks, watch], return_when=asyncio.FIRST_COMPLETED)
    watch.cancel()
    for server, _ in servers:
        server.should_exit = True
    await asyncio.gather(*tasks)


async def _lose(held: lease.Lease) -> None:
    """Return when another server has the lease: this one must stop then."""
    while await asyncio.to_thread(held.keep):  # noqa: ASYNC110 - the database is asked, nothing tells
        await asyncio.sleep(LEASE_CHECK_SECONDS)
    log.error("lease_lost", reason="the database ended this server's session and another server took over")
