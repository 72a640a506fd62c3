"""100,000 records of 300 B through filter, map of 8 fields and batches of 100, against a bare loop over the same work,
and how long webhooks take to be answered meanwhile."""

from __future__ import annotations

import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench import figures, process, product
from bench.figures import Figure, Options
from bench.floor import records as floor

PER_SECOND, PACED_SECONDS = 50, 8
RULES: list[dict[str, Any]] = [
    {"target": target, "source": source}
    for target, source in {
        "id": "id", "order": "number", "customer": "name", "mail": "email", "town": "city", "land": "country",
        "amount": "total", "remark": "note",
    }.items()
]  # fmt: skip
RULES[5]["transforms"] = [{"name": "upper"}]


def steps(source_port: int) -> list[product.Step]:
    url = f"http://127.0.0.1:{source_port}/records"
    return [
        {"microservice": "connector", "name": "get", "config": {"direction": "receive", "url": url}},
        product.FILTER,
        {"microservice": "map", "config": {"rules": RULES}},
        {"microservice": "batch", "config": {"size": floor.SIZE}},
    ]


def measure(options: Options) -> list[Figure]:
    """Seconds of the steps, seconds of the whole run, and webhook latency beside such runs."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        source = stack.enter_context(process.serve("bench.floor.records", ready="/up"))
        server = stack.enter_context(product.settle(directory).serve())
        flow = server.flow("Records", steps(source.port))
        hook = server.webhook(server.flow("Small", [product.FILTER, product.MAP]))
        runs, bare, whole_bare = [], [], []
        for _ in range(options.rounds + 1):
            began = time.perf_counter()
            raw = floor.fetch(source.port)
            bare.append(floor.seconds(raw))
            whole_bare.append(time.perf_counter() - began)
            runs.append(run(server, flow))
        runs, bare, whole_bare = runs[1:], bare[1:], whole_bare[1:]
        return [
            figures.cost(
                "filter, map, batch (and decode)", "s", [decoded(raw) + stepped(one) for one in runs], bare,
                target="<= 1 s, <= 2x", holds=lambda figure: figure.product <= 1 and (figure.ratio or 9) <= 2,
            ),
            figures.cost(
                "the whole run, receive and checkpoint too",
                "s", [one["duration_ms"] / 1000 for one in runs], whole_bare
            ),
            *latencies(server, flow, hook, options),
        ]  # fmt: skip


def run(server: product.Server, flow: int) -> dict[str, Any]:
    """Run the flow once; the run as the API shows it."""
    id = server.start(flow)
    while (found := server.call("GET", f"/flow-runs/{id}"))["status"] < 2:
        time.sleep(0.01)
    if found["status"] != 2:
        raise RuntimeError(f"the run failed: {found}")
    return dict(found)


def stepped(run: dict[str, Any]) -> float:
    """Seconds of the pure steps, as the run's summary has them."""
    taken = {step["key"]: step["duration_ms"] for step in run["summary"]["steps"]}
    return sum(list(taken.values())[2:]) / 1000


def decoded(raw: bytes) -> float:
    """Seconds that decoding takes, which the summary counts to the receive."""
    began = time.perf_counter()
    floor.msgspec.json.decode(raw)
    return time.perf_counter() - began


def latencies(server: product.Server, flow: int, hook: str, options: Options) -> list[Figure]:
    """p50 and p99 of 50 webhook calls a second, while the big run goes on over and over; the floor is without it."""
    order = {"mode": "paced", "port": server.running.port, "path": hook, "per_second": PER_SECOND}
    order["seconds"] = max(2, PACED_SECONDS * options.scale)
    alone = process.drive(**order)["latencies_ms"]
    with process.driving(**order) as driver:
        while driver.process.poll() is None:
            run(server, flow)
        beside = driver.result()["latencies_ms"]
    return [
        figures.cost("webhook p50 beside it", "ms", [statistics.median(beside)], [statistics.median(alone)]),
        figures.cost(
            "webhook p99 beside it", "ms", [figures.quantile(beside, 0.99)], [figures.quantile(alone, 0.99)]
        ),
    ]
