"""Reads: GET one version, and LIST 25 of 10,000 versions with their schedules, against raw ASGI and bare SQL."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench import figures, process, product
from bench.figures import Figure, Options

VERSIONS, SCHEDULES, CONNECTIONS = 10_000, 2, 8
REQUESTS = {"GET one version": 12_000, "LIST 25 with schedules": 2_500}
LIMITS = {"GET one version": 8, "LIST 25 with schedules": 3.5}
SAME = "saved_at, saved_by, created_at, updated_at"


def measure(options: Options) -> list[Figure]:
    """Requests a second, and CPU ms a request of the server's process."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        home = product.settle(directory)
        with home.serve() as server:
            flow = server.flow("Versions", [product.FILTER])
        first = fill(home.database, flow)
        here = stack.enter_context(home.serve()).running
        floor = stack.enter_context(
            process.serve("bench.floor.reads", "--database", str(home.database), ready="/up")
        )
        base = f"/api/v1/flows/{flow}/versions"
        paths = {
            "GET one version": f"{base}/{first + VERSIONS // 2}",
            "LIST 25 with schedules": f"{base}?per_page=25&include=schedules",
        }
        return [
            figure
            for name, path in paths.items()
            for figure in _side_by_side(name, path, floor, here, home.key, options)
        ]


def fill(database: Path, flow: int) -> int:
    """Give the flow 10,000 versions like its first, with schedules; the id of the first of them."""
    numbers = f"WITH RECURSIVE n(i) AS (VALUES(2) UNION ALL SELECT i + 1 FROM n WHERE i <= {VERSIONS})"
    copied = f"revision, content_hash, steps_count, has_callback_step, variables, {SAME}"
    with sqlite3.connect(database) as db:
        db.execute(
            f"INSERT INTO flow_versions (flow_id, iteration, status, {copied}) {numbers} "
            f"SELECT flow_id, i, 'Inactive', {copied} FROM n, flow_versions WHERE flow_id = ?",
            (flow,),
        )
        db.execute(
            "INSERT INTO schedules (flow_version_id, cron_string, timezone, overlap, catch_up, jitter_seconds, dst_gap,"
            " dst_repeat, created_at, updated_at) "
            f"WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < {SCHEDULES}) "
            "SELECT id, i || ' 3 * * *', 'Europe/Amsterdam', 'queue', 'latest', 0, 'next', 'first', created_at,"
            " updated_at FROM flow_versions, n WHERE status = 'Inactive'"
        )
        db.execute("ANALYZE")
        return int(db.execute("SELECT min(id) FROM flow_versions WHERE status = 'Inactive'").fetchone()[0])


def _side_by_side(
    name: str, path: str, floor: process.Running, here: process.Running, key: str, options: Options
) -> list[Figure]:
    rates, costs = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
    answers: dict[str, Any] = {}
    count = options.count(REQUESTS[name])
    for _ in range(options.rounds):
        for side, server in (("floor", floor), ("product", here)):
            before = server.cpu_seconds()
            found = process.drive(
                mode="repeat", port=server.port, count=count, connections=CONNECTIONS, method="GET", path=path,
                authorization=key,
            )  # fmt: skip
            rates[side].append(count / found["seconds"])
            costs[side].append((server.cpu_seconds() - before) * 1000 / count)
            answers[side] = found["first"]
    if json.loads(answers["floor"]) != json.loads(answers["product"]):
        raise RuntimeError(f"{name}: the floor answers something else: {answers['product'][:1000]}")
    limit = LIMITS[name]
    return [
        figures.rate(
            name,
            rates["product"],
            rates["floor"],
            target=f"<= {limit:g}x",
            holds=figures.ratio_at_most(limit),
        ),
        figures.cost(f"{name}: CPU", "ms", costs["product"], costs["floor"]),
    ]
