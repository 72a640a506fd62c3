"""Webhook -> filter -> map -> POST, 32 at a time, on SQLite and on PostgreSQL, against a bare pipeline.

A run counts when its POST was received and its end is committed.
"""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

import psycopg
from sqlalchemy import create_engine, text
from tests import postgres

from bench import figures, process, product
from bench.figures import Figure, Options

RUNS, AT_ONCE = 4_000, 32
UNFINISHED = text("SELECT count(*) FROM flow_runs WHERE status < 2")
ENDED = text("SELECT count(*) FROM flow_runs WHERE status = 2")


def measure(options: Options) -> list[Figure]:
    """Runs a second and CPU ms a run on SQLite."""
    with tempfile.TemporaryDirectory() as directory:
        return _measure(options, Path(directory), None, "SQLite", 1000)


def measure_postgres(options: Options) -> list[Figure]:
    """The same on PostgreSQL, which shares the machine."""
    with postgres.server() as address, tempfile.TemporaryDirectory() as directory:
        url = address.format(database="flowloom")
        with psycopg.connect(
            address.format(database="postgres").replace("+psycopg", ""), autocommit=True
        ) as db:
            for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
                db.execute(f"ALTER SYSTEM SET {setting} = on")
            db.execute("SELECT pg_reload_conf()")
            db.execute("CREATE DATABASE flowloom")
        return _measure(options, Path(directory), url, "PostgreSQL", 400)


def _measure(options: Options, directory: Path, url: str | None, where: str, at_least: int) -> list[Figure]:
    rates, costs = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
    count, sink_port = options.count(RUNS), process.free_port()
    target = f"http://127.0.0.1:{sink_port}/orders"
    home = product.settle(directory, url)
    with ExitStack() as stack:
        server = stack.enter_context(home.serve())
        floor = stack.enter_context(process.serve("bench.floor.pipeline", "--target", target, ready="/up"))
        path = server.webhook(server.flow("Orders", [product.FILTER, product.MAP, product.send(target)]))
        database = url or f"sqlite:///{home.database}"
        for round in range(options.rounds + 1):
            for side, running in (("floor", floor), ("product", server.running)):
                before = running.cpu_seconds()
                found = process.drive(
                    mode="trips",
                    port=running.port,
                    count=count,
                    at_once=AT_ONCE,
                    path=path,
                    sink_port=sink_port,
                )
                late = _wait_for_ends(database, count * (round + 1)) if side == "product" else 0.0
                if round:  # the first one warms up
                    rates[side].append(count / (found["seconds"] + late))
                    costs[side].append((running.cpu_seconds() - before) * 1000 / count)
    held = figures.at_least(at_least)
    return [
        figures.rate(
            f"{where}: runs", rates["product"], rates["floor"], target=f">= {at_least:,}/s", holds=held
        ),
        figures.cost(
            f"{where}: CPU a run",
            "ms",
            costs["product"],
            costs["floor"],
            target="<= 3x",
            holds=figures.ratio_at_most(3),
        ),
    ]


def _wait_for_ends(url: str, count: int) -> float:
    """Wait until so many runs ended well and none is left; how long the last of them took after its POST."""
    engine, began = create_engine(url), time.perf_counter()
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
            while db.scalar(UNFINISHED):
                time.sleep(0.002)
                if time.perf_counter() - began > 30:
                    raise RuntimeError("runs do not end")
            late = time.perf_counter() - began
            if (ended := db.scalar(ENDED)) != count:
                raise RuntimeError(f"{ended} runs succeeded, not {count}")
            return late
    finally:
        engine.dispose()
