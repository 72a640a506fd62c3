"""Several processes under measurement: a durable PostgreSQL, a NATS, an API process, and workers that are held still
while runs are queued, so that the load generator shares no core with what is measured."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from tests import postgres
from tests.cluster import nats_servers

from bench import costs, process, product
from bench.costs import Reading

# As a server has it that was installed and left as it is, but that every commit is on the disk.
DURABLE = """
fsync = on
synchronous_commit = on
full_page_writes = on
autovacuum = on
wal_level = replica
shared_buffers = 128MB
"""
# Part of the runs after which measuring begins, and ends: what starts and what runs dry is left out.
FROM, TO = 0.1, 0.9
# A worker that is held still is not dead.
SILENCE_SECONDS = "600"
LIMIT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Drained:
    """How runs were worked off: so many a second, and what one cost, and what it had cost to queue it."""

    rate: float
    cpu_ms: dict[str, float]
    wal_bytes: float
    transactions: float
    queued_cpu_ms: dict[str, float]
    queued_wal_bytes: float


@dataclass
class Site:
    """A database with its company, the servers around it, and the connection that looks at it."""

    home: product.Home
    nats_url: str
    meters: costs.Meters
    log: Path

    @property
    def together(self) -> dict[str, str]:
        """The settings of processes that work together."""
        return {"FLOWLOOM_NATS_URL": self.nats_url, "FLOWLOOM_WORKER_TIMEOUT_SECONDS": SILENCE_SECONDS}

    @contextmanager
    def held_still(self, count: int) -> Iterator[list[process.Running]]:
        """Workers that are ready and do not move until they are let go."""
        with ExitStack() as stack:
            workers = [stack.enter_context(self.home.run("worker", **self.together)) for _ in range(count)]
            send(workers, signal.SIGSTOP)
            try:
                yield workers
            finally:
                send(workers, signal.SIGCONT)

    def fill(self, server: product.Server, hook: str, count: int) -> Reading:
        """Queue runs through the API, and what that took."""
        before = self.meters.read()
        process.drive(mode="fill", port=server.running.port, path=hook, count=count, connections=32)
        return self.meters.read().since(before)

    def drain(self, count: int, queued: Reading) -> Drained:
        """Watch `count` runs being worked off that took so much to be queued."""
        self._until_left(count * (1 - FROM))
        before, first = self.meters.read(), self._left()
        self._until_left(count * (1 - TO))
        used, runs = self.meters.read().since(before), first - self._left()
        self._until_left(0)
        return Drained(
            runs / used.at,
            _ms(used, runs),
            used.wal_bytes / runs,
            used.transactions / runs,
            _ms(queued, count),
            queued.wal_bytes / count,
        )

    def log_statements(self, which: str) -> None:
        """Have PostgreSQL log statements: "all" or "none"."""
        self.meters.database.execute(f"ALTER SYSTEM SET log_statement = '{which}'")
        self.meters.database.execute("SELECT pg_reload_conf()")

    def _until_left(self, wanted: float) -> None:
        deadline = time.monotonic() + LIMIT_SECONDS
        while self._left() > wanted:
            if time.monotonic() > deadline:
                raise RuntimeError("runs do not end")
            time.sleep(0.05)

    def _left(self) -> int:
        row = self.meters.database.execute("SELECT count(*) FROM flow_runs WHERE status < 2").fetchone()
        assert row is not None
        return int(row[0])


def _ms(used: Reading, runs: int) -> dict[str, float]:
    return {part: seconds * 1000 / runs for part, seconds in used.cpu.items()}


def send(running: list[process.Running], number: signal.Signals) -> None:
    for one in running:
        os.kill(one.pid, number)


@dataclass
class Servers:
    """A PostgreSQL, a NATS, and the system that flows talk to."""

    postgres: postgres.Cluster
    nats: nats_servers.Node
    remote: process.Running

    @contextmanager
    def site(self, name: str) -> Iterator[Site]:
        """An empty installation of its own."""
        postgres.create(self.postgres, name)
        url = self.postgres.url.format(database=name)
        with tempfile.TemporaryDirectory() as directory, connected(url) as database:
            meters = costs.Meters(database)
            log = self.postgres.home / "log"
            yield Site(product.settle(Path(directory), url), self.nats.url, meters, log)

    def parts(self, **others: list[process.Running]) -> dict[str, list[int]]:
        """The processes whose CPU is read, by what they are."""
        assert self.postgres.process is not None
        assert self.nats.process is not None
        shared = {"postgres": [self.postgres.process.pid], "nats": [self.nats.process.pid]}
        named = {name: [one.pid for one in running] for name, running in others.items()}
        return {**shared, "remote": [self.remote.pid], **named}


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as database:
        yield database


@contextmanager
def servers() -> Iterator[Servers]:
    """All that the processes need, on this machine."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cluster = stack.enter_context(postgres.cluster())
        cluster.stop()
        with (cluster.home / "data/postgresql.conf").open("a") as config:
            config.write(DURABLE)
        cluster.start()
        (nats,) = stack.enter_context(nats_servers.servers(directory, 1))
        remote = stack.enter_context(process.serve("bench.floor.remote", ready="/up"))
        yield Servers(cluster, nats, remote)
