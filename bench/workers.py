"""Workers: how fast one and two of them work runs off that were queued before, and what a run costs on the way.

Two kinds of runs: a small one, most of whose work is the database's, and one whose work is the worker's. PostgreSQL,
NATS, the process that leads and the system that flows send to share the cores with the workers, so that two workers
can never be twice as fast as one here. The column of the floor has what the figure is compared with.
"""

from __future__ import annotations

import signal
from collections import defaultdict
from collections.abc import Callable, Mapping

from bench import costs, figures, product, records, several
from bench.figures import Figure, Options
from bench.several import Drained, Servers, Site

RUNS = {"small": 4_000, "page": 1_500}
BATCH = 250
# A prefix of its own keeps what one server announces away from the workers that come after it.
APART = {"FLOWLOOM_NATS_PREFIX": "apart"}


def steps(kind: str, port: int) -> list[product.Step]:
    """The small one maps one record; the other one gets a page of 500, and sends them in batches."""
    base = f"http://127.0.0.1:{port}"
    sent = product.send(f"{base}/orders")
    if kind == "small":
        return [product.FILTER, product.MAP, sent]
    get = {"direction": "receive", "url": f"{base}/records"}
    return [
        {"microservice": "connector", "name": "get", "config": get},
        product.FILTER,
        {"microservice": "map", "config": {"rules": records.RULES}},
        {"microservice": "batch", "config": {"size": BATCH}},
        sent,
    ]


def measure(options: Options) -> list[Figure]:
    """Runs a second, and CPU, WAL, statements, rows and bytes of a run."""
    with several.servers() as servers:
        return [
            figure
            for kind, count in RUNS.items()
            for figure in _of_kind(servers, kind, options.count(count), options)
        ]


def _of_kind(servers: Servers, kind: str, count: int, options: Options) -> list[Figure]:
    found: dict[str, list[Drained]] = defaultdict(list)
    with servers.site(f"bench_{kind}") as site:
        with site.home.serve(**APART, **site.together) as server:
            hook = server.webhook(server.flow(kind, steps(kind, servers.remote.port)))
        empty = costs.kept(site.meters.database)
        for _ in range(options.rounds + 1):  # the first one warms up
            found["alone"].append(_alone(servers, site, hook, count))
            for workers in (1, 2):
                found[f"{workers}"].append(_together(servers, site, hook, count, workers))
        left = _left_behind(empty, costs.kept(site.meters.database), 3 * count * (options.rounds + 1))
        statements = _statements(servers, site, hook, count)
    measured = {name: drained[1:] for name, drained in found.items()}
    return [*_rates(kind, measured), *_costs(kind, measured), *left(kind), statements(kind)]


def _alone(servers: Servers, site: Site, hook: str, count: int) -> Drained:
    """One process that does everything, without NATS."""
    with site.home.serve(**APART, **site.together) as server:
        site.meters.parts = servers.parts(api=[server.running])
        queued = site.fill(server, hook, count)
    with site.home.serve() as server:
        site.meters.parts = servers.parts(workers=[server.running])
        return site.drain(count, queued)


def _together(servers: Servers, site: Site, hook: str, count: int, workers: int) -> Drained:
    """An API process that leads, and workers."""
    with site.home.serve(**site.together) as server, site.held_still(workers) as still:
        site.meters.parts = servers.parts(api=[server.running], workers=still)
        queued = site.fill(server, hook, count)
        several.send(still, signal.SIGCONT)
        return site.drain(count, queued)


def _statements(servers: Servers, site: Site, hook: str, count: int) -> Callable[[str], Figure]:
    """How many statements PostgreSQL gets for a run that one worker works off, counted in its log."""
    site.log_statements("all")
    before = site.log.stat().st_size
    _together(servers, site, hook, count, 1)
    found = costs.statements(site.log, before) / count
    site.log_statements("none")
    return lambda kind: figures.cost(f"{kind}: statements of a run, with its start", "", [found])


def _rates(kind: str, found: Mapping[str, list[Drained]]) -> list[Figure]:
    alone, one, two = ([drained.rate for drained in found[name]] for name in ("alone", "1", "2"))
    return [
        figures.cost(f"{kind}: one process, PostgreSQL alone", "/s", alone),
        figures.gain(f"{kind}: one worker, over that", one, alone),
        figures.gain(
            f"{kind}: two workers, over one", two, one, target=">= 1.5x", holds=figures.ratio_at_least(1.5)
        ),
    ]


def _costs(kind: str, found: Mapping[str, list[Drained]]) -> list[Figure]:
    """What a run costs with one worker, against one process without NATS."""
    one, alone = found["1"], found["alone"]
    parts = [
        figures.cost(
            f"{kind}: CPU of a run, {part}",
            "ms",
            [drained.cpu_ms[part] for drained in one],
            [drained.cpu_ms[part] for drained in alone if part in drained.cpu_ms],
        )
        for part in one[0].cpu_ms
    ]
    queued = [
        figures.cost(
            f"{kind}: CPU of its start, {part}", "ms", [drained.queued_cpu_ms[part] for drained in one]
        )
        for part in ("api", "postgres", "nats")
    ]
    wal = [
        figures.cost(
            f"{kind}: WAL of a run",
            "kB",
            *([drained.wal_bytes / 1000 for drained in of] for of in (one, alone)),
        ),
        figures.cost(f"{kind}: WAL of its start", "kB", [drained.queued_wal_bytes / 1000 for drained in one]),
    ]
    transactions = figures.cost(
        f"{kind}: transactions of a run",
        "",
        *([drained.transactions for drained in of] for of in (one, alone)),
    )
    return [*parts, *queued, *wal, transactions]


Kept = Mapping[str, tuple[int, int]]


def _left_behind(before: Kept, after: Kept, runs: int) -> Callable[[str], list[Figure]]:
    """Rows and bytes with indexes that a run leaves in the tables that grow with runs."""
    grown = {name: (after[name][0] - before[name][0], after[name][1] - before[name][1]) for name in after}
    rows, size = (sum(one[at] for one in grown.values()) / runs for at in (0, 1))
    return lambda kind: [
        figures.cost(f"{kind}: rows that a run leaves", "", [rows]),
        figures.cost(f"{kind}: what they take with indexes", "kB", [size / 1000]),
    ]
