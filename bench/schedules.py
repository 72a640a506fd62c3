"""10,000 schedules due in the same second: how late each run is committed, seen from another process."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bench import figures, product
from bench.figures import Figure, Options
from bench.floor import schedules as floor

SCHEDULES, FLOWS = 10_000, 20
STEP: product.Step = {"microservice": "set-variables", "config": {"variables": {"seen": True}}}
LIMIT_SECONDS = 120


def measure(options: Options) -> list[Figure]:
    """Lateness in seconds: p50, p99 and the last one."""
    count = options.count(SCHEDULES)
    found: dict[str, list[float]] = {"p50": [], "p99": [], "max": []}
    bare: dict[str, list[float]] = {"p50": [], "p99": [], "max": []}
    with ExitStack() as stack:
        home = product.settle(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        with home.serve() as server:
            flows = [server.flow(f"Every minute {number}", [STEP]) for number in range(FLOWS)]
        for _ in range(options.rounds):
            with tempfile.TemporaryDirectory() as directory:
                _note(bare, floor.lateness_seconds(Path(directory), count))
            at = plant(home.database, flows, count)
            with home.serve():
                _note(found, lateness_seconds(home.database, at, count))
    return [
        figures.cost("p50 of lateness", "s", found["p50"], bare["p50"]),
        figures.cost(
            "p99 of lateness", "s", found["p99"], bare["p99"], target="<= 1 s late", holds=figures.at_most(1)
        ),
        figures.cost("the last one", "s", found["max"], bare["max"]),
    ]


def _note(into: dict[str, list[float]], late: list[float]) -> None:
    into["p50"].append(figures.quantile(late, 0.5))
    into["p99"].append(figures.quantile(late, 0.99))
    into["max"].append(max(late))


def plant(database: Path, flows: list[int], count: int) -> int:
    """Give the flows' Deployed versions schedules due at the next whole minute; that minute, in Unix seconds."""
    now = time.time()
    at = (int(now) // 60 + (2 if now % 60 > 50 else 1)) * 60
    times = {"next": at * 1_000_000, "settled": (at - 60) * 1_000_000}
    marks = ",".join(str(flow) for flow in flows)
    with sqlite3.connect(database) as db:
        db.execute("DELETE FROM schedules")
        db.execute("DELETE FROM flow_runs")
        db.execute(
            "INSERT INTO schedules (flow_version_id, cron_string, timezone, overlap, catch_up, jitter_seconds, dst_gap,"
            " dst_repeat, next_run_at, settled_until, created_at, updated_at) "
            f"WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < {count // len(flows)}) "
            "SELECT id, '* * * * *', 'UTC', 'queue', 'latest', 0, 'next', 'first', :next, :settled, :settled, :settled "
            f"FROM flow_versions, n WHERE status = 'Deployed' AND flow_id IN ({marks})",
            times,
        )
    return at


def lateness_seconds(database: Path, at: int, count: int) -> list[float]:
    """Watch the runs of this instant appear; how late each was to be seen, to 5 ms."""
    late: list[float] = []
    watcher = sqlite3.connect(f"file:{database}?mode=ro", uri=True, isolation_level=None)
    committed = "SELECT count(*) FROM flow_runs WHERE fire_at = ?"
    while len(late) < count:
        (seen,) = watcher.execute(committed, (at * 1_000_000,)).fetchone()
        now = time.time()
        late += [now - at] * (seen - len(late))
        if now > at + LIMIT_SECONDS:
            raise RuntimeError(f"{len(late)} of {count} schedules fired")
        time.sleep(0.005 if now >= at else min(1.0, at - now))
    watcher.close()
    return late
