"""Start to ready on a migrated database, and what a server takes that has nothing to do, against bare uvicorn."""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

from bench import figures, process, product
from bench.figures import Figure, Options

STARTS, IDLE_SECONDS = 5, 20


def measure(options: Options) -> list[Figure]:
    """Seconds to ready, MB of memory, percent of a core."""
    starts = defaultdict[str, list[float]](list)
    with ExitStack() as stack:
        home = product.settle(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        bare = ("bench.floor.reads", "--database", str(home.database))
        for _ in range(options.count(STARTS)):
            with process.serve(*bare, ready="/up") as running:
                starts["floor"].append(running.start_seconds)
            with home.serve() as server:
                starts["product"].append(server.running.start_seconds)
        here = stack.enter_context(home.serve()).running
        floor = stack.enter_context(process.serve(*bare, ready="/up"))
        return [
            figures.cost(
                "start to ready",
                "s",
                starts["product"],
                starts["floor"],
                target="<= 1 s",
                holds=figures.at_most(1),
            ),
            *_at_rest(here, floor, options.count(IDLE_SECONDS)),
        ]


def _at_rest(here: process.Running, floor: process.Running, seconds: int) -> list[Figure]:
    time.sleep(2)
    before = here.cpu_seconds(), floor.cpu_seconds()
    time.sleep(seconds)
    used = [
        (now - then) / seconds * 100
        for now, then in zip((here.cpu_seconds(), floor.cpu_seconds()), before, strict=True)
    ]
    memory, bare = here.memory_mb(), floor.memory_mb()
    return [
        figures.cost(
            "memory, RSS",
            "MB",
            [memory["rss"]],
            [bare["rss"]],
            target="<= 100 MB",
            holds=figures.at_most(100),
        ),
        figures.cost("memory, PSS", "MB", [memory["pss"]], [bare["pss"]]),
        figures.cost("CPU at rest", "%", [used[0]], [used[1]], target="<= 1 %", holds=figures.at_most(1)),
    ]
