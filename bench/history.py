"""History at size: what reading, claiming and pruning cost beside ten million runs, and beside ten thousand.

`floor` is the cost of the same at ten thousand runs, in the same bench run. It is the database's part that is measured,
with what makes an answer of it, and not the HTTP around it, which does not grow.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from tests import postgres

from bench import figures, planting, questions
from bench.figures import Figure, Options
from bench.planting import Size
from flowloom.runtime import pruner
from flowloom.store import blobs
from flowloom.store.database import Database

# The same company otherwise: it is the history that grows.
SMALL = Size(runs=10_000, versions=100_000, schedules=10_000)
FULL = {
    "postgresql": Size(runs=10_000_000, versions=100_000, schedules=10_000),
    "sqlite": Size(runs=1_000_000, versions=100_000, schedules=10_000),
}
# Autovacuum at work on a table that was just filled would keep the vacuum after that from seeing its rows as old.
CONFIG = """
autovacuum = off
shared_buffers = 512MB
maintenance_work_mem = 512MB
max_wal_size = 8GB
"""
REPEATS = 9
LIMIT = 3
# What is kept so long: the first of the sixty days is to go.
KEPT = pruner.Days(payloads=7, logs=planting.DAYS - 1, minutes=90)
Costs = dict[str, float]


def measure(options: Options) -> list[Figure]:
    """Milliseconds of each question, on both databases."""
    with tempfile.TemporaryDirectory() as directory:
        found = _both("sqlite", lambda name: _sqlite(Path(directory), name), options)
    with postgres.cluster() as cluster:
        cluster.stop()
        with (cluster.home / "data/postgresql.conf").open("a") as config:
            config.write(CONFIG)
        cluster.start()
        return found + _both("postgresql", lambda name: _postgres(cluster, name), options)


def _sqlite(directory: Path, name: str) -> str:
    return f"sqlite+pysqlite:///{directory / name}.db"


def _postgres(cluster: postgres.Cluster, name: str) -> str:
    postgres.create(cluster, name)
    return cluster.url.format(database=name)


def _both(kind: str, make: Callable[[str], str], options: Options) -> list[Figure]:
    full = FULL[kind]
    if options.scale < 1:
        full = Size(options.count(full.runs // 10), full.versions // 10, full.schedules)
    small, large = _measured(make("small"), SMALL), _measured(make("large"), full)
    return [
        figures.cost(f"{kind}: {name}", "ms", [large[name]], [small[name]], **_target(name)) for name in small
    ]


def _target(name: str) -> dict[str, Any]:
    """Minutes are as many as had runs, which in the small history few had: of them there is only the figure."""
    if name == questions.BY_MINUTE:
        return {}
    return {"target": f"<= {LIMIT}x", "holds": figures.ratio_at_most(LIMIT)}


def _measured(url: str, size: Size) -> Costs:
    """Plant a history and ask all questions."""
    planting.plant(url, size)
    with opened(url) as database:
        asked = questions.of(size, is_postgres=not database.is_sqlite)
        costs = {name: _median_ms(database, question) for name, question in asked.items()}
        return costs | asyncio.run(_pruned(database, size))


def _median_ms(database: Database, question: questions.Question) -> float:
    taken = []
    for _ in range(REPEATS + 1):
        began = time.perf_counter()
        ask(database, question)
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken[1:])


def ask(database: Database, question: questions.Question) -> None:
    """Answer a question as a server would, and leave everything as it was."""
    if not question.writes:
        database.read_now(question.work)
        return
    with suppress(Undone):
        database.write_now(_and_back, question.work)


class Undone(Exception):
    """Takes back what was only done to see how long it takes."""


def _and_back(connection: Connection, work: Callable[[Connection], object]) -> None:
    work(connection)
    raise Undone


async def _pruned(database: Database, size: Size) -> Costs:
    """Removing the first day, for each thousand of its runs; and the turn after it, that finds nothing more."""
    with tempfile.TemporaryDirectory() as directory:
        return {
            "pruning a day, per 1,000 runs": await _prune(database, directory)
            / (size.runs / planting.DAYS)
            * 1000,
            "pruning when nothing is due, after a start": await _prune(database, directory),
        }


async def _prune(database: Database, directory: str) -> float:
    began = time.perf_counter()
    bodies = blobs.open_blobs(None, Path(directory), lambda: planting.NOW)
    await pruner.Pruner(database, bodies, KEPT, lambda _: None).tick(planting.NOW)
    return (time.perf_counter() - began) * 1000


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.close()
