"""The flows that a simulation works with, and what each of them is to send for a given start payload."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert

from flowloom.domain import graph, version
from flowloom.services import schedules
from flowloom.store import tables

SITE = "http://system.test"
# A record with this is never taken.
POISON = "bad"
PAGES = 2
# How many runs of a company go on at once; 0: as many as the server allows any.
COMPANIES = {1: 0, 2: 2}


class Sending(NamedTuple):
    """A request that a run may make: by which step, for which payload, with what. A success makes the needed ones."""

    step: str
    position: str
    path: str
    body: object
    is_needed: bool = True


class Shape(NamedTuple):
    """A flow: its definition, the payloads it is started with, and what it sends for one."""

    steps: list[graph.StepDefinition]
    routes: list[graph.RouteDefinition]
    payload: Callable[[random.Random, str], object]
    sendings: Callable[[Any], Iterator[Sending]]


def step(
    key: str, kind: str, after: str | None, route: str | None = None, **config: Any
) -> graph.StepDefinition:
    return graph.StepDefinition(
        key=key, microservice=kind, name=key, config=config, parent=after, route=route
    )


def send(key: str, path: str, after: str, route: str | None = None, **config: Any) -> graph.StepDefinition:
    config = {"direction": "send", "url": f"{SITE}{path}", "retries": 2, **config}
    return step(key, "connector", after, route, **config)


TRIGGER = step("trigger", "trigger", None)
ORDERS, PULL, CAUGHT, LATER, PARENT, CHILD, FORKED, LANE, CLOCK = range(1, 10)
BATCH = 2


def _items(seeded: random.Random, tag: str) -> list[dict[str, Any]]:
    return [{"id": f"{tag}-{n}", "ok": seeded.random() < 0.7} for n in range(seeded.randint(1, 4))]


def _some_bad(seeded: random.Random, tag: str) -> list[dict[str, Any]]:
    return [
        {"id": f"{tag}-{n}", **({POISON: True} if seeded.random() < 0.4 else {})}
        for n in range(seeded.randint(1, 3))
    ]


def _one(seeded: random.Random, tag: str) -> dict[str, Any]:
    return {"id": tag, "customer": seeded.choice("ab")}


def _orders(body: list[dict[str, Any]]) -> Iterator[Sending]:
    kept = [item for item in body if item["ok"]]
    for number in range(0, len(kept), BATCH):
        yield Sending("send", f"0.{number // BATCH}", "/orders", kept[number : number + BATCH])


def _pulled(body: dict[str, Any]) -> Iterator[Sending]:
    for number in range(PAGES):
        yield Sending("send", f"0.{number}", "/pulled", [{"id": f"/pages/{body['id']}/{number + 1}"}])


def _caught(body: list[dict[str, Any]]) -> Iterator[Sending]:
    for number, item in enumerate(body):
        yield Sending("try", f"0.{number}", "/tried", [item], is_needed=False)
        # The catch leg gets what the step with index 3 failed on.
        yield Sending("catch", f"0.{number}.e3", "/caught", {"id": item["id"]}, is_needed=False)


def _parent(body: list[dict[str, Any]]) -> Iterator[Sending]:
    for number, item in enumerate(body):
        yield Sending("send", f"0.{number}", "/parent", [item])


def _forked(body: list[dict[str, Any]]) -> Iterator[Sending]:
    kept = [item for item in body if item["ok"]]
    if kept:
        yield Sending("left", "0", "/left", kept)
    yield Sending("right", "0", "/right", body)
    yield Sending("last", "0", "/last", body)


def _whole(path: str) -> Callable[[Any], Iterator[Sending]]:
    return lambda body: iter([Sending("send", "0", path, body)])


OK = {"field": "ok", "operator": "equals", "value": True}
FLOWS: Mapping[int, Shape] = {
    ORDERS: Shape(
        [
            TRIGGER,
            step("filter", "filter", "trigger", keep=True, where=OK),
            step("batch", "batch", "filter", size=BATCH),
            send("send", "/orders", "batch"),
        ],
        [],
        _items,
        _orders,
    ),
    PULL: Shape(
        [
            TRIGGER,
            step(
                "pull",
                "connector",
                "trigger",
                direction="receive",
                url=f"{SITE}/pages/[[payload.id]]",
                path="data",
                pagination={"type": "page"},
            ),
            send("send", "/pulled", "pull"),
        ],
        [],
        _one,
        _pulled,
    ),
    CAUGHT: Shape(
        [
            TRIGGER,
            step("batch", "batch", "trigger", size=1),
            step("guard", "try-catch", "batch"),
            send("try", "/tried", "guard", "r-try"),
            send("catch", "/caught", "guard", "r-catch", body={"id": "[[payload.0.id]]"}),
        ],
        [
            graph.RouteDefinition(key="r-try", step="guard", name="try"),
            graph.RouteDefinition(key="r-catch", step="guard", name="catch"),
        ],
        _some_bad,
        _caught,
    ),
    LATER: Shape(
        [TRIGGER, step("wait", "delay", "trigger", seconds=7), send("send", "/later", "wait")],
        [],
        _one,
        _whole("/later"),
    ),
    PARENT: Shape(
        [
            TRIGGER,
            step("batch", "batch", "trigger", size=1),
            step("child", "run-flow", "batch", flow_id=CHILD, wait=True, parallel=2),
            send("send", "/parent", "child"),
        ],
        [],
        _some_bad,
        _parent,
    ),
    CHILD: Shape([TRIGGER, send("send", "/child", "trigger")], [], _items, _whole("/child")),
    FORKED: Shape(
        [
            TRIGGER,
            step("fork", "branch", "trigger"),
            step("route", "route", "fork", "r-0", mode="all"),
            send("left", "/left", "route", "r-1"),
            send("right", "/right", "route", "r-2"),
            send("last", "/last", "fork", "r-3"),
        ],
        [
            graph.RouteDefinition(key="r-0", step="fork", name="first"),
            graph.RouteDefinition(key="r-1", step="route", name="left", where=OK),
            graph.RouteDefinition(key="r-2", step="route", name="right"),
            graph.RouteDefinition(key="r-3", step="fork", name="then"),
        ],
        _items,
        _forked,
    ),
    LANE: Shape([TRIGGER, send("send", "/lane", "trigger")], [], _one, _whole("/lane")),
    CLOCK: Shape(
        [TRIGGER, send("send", "/clock", "trigger", body={"on": "time"})],
        [],
        _one,
        lambda _body: iter([Sending("send", "0", "/clock", {"on": "time"})]),
    ),
}
DEFINITIONS = {
    id: graph.Definition(steps=shape.steps, routes=shape.routes, variables={}) for id, shape in FLOWS.items()
}
HASHES = {id: version.content_hash(definition) for id, definition in DEFINITIONS.items()}
BY_HASH = {HASHES[id]: definition for id, definition in DEFINITIONS.items()}


def page(path: str, query: dict[str, str]) -> object:
    """What a receive is answered: two pages of one record, then an empty one."""
    number = int(query.get("page", "1"))
    return {"data": [{"id": f"{path}/{number}"}] if number <= PAGES else []}


def write(connection: Connection, seeded: random.Random, at: datetime, *, with_schedule: bool) -> None:
    """Two companies, every flow deployed, some with limits, and perhaps a schedule."""
    times = {"created_at": at, "updated_at": at}
    companies = [
        {"id": id, "name": f"C{id}", "concurrency": limit, **times} for id, limit in COMPANIES.items()
    ]
    connection.execute(insert(tables.companies), companies)
    connection.execute(insert(tables.flows), [_flow_row(id, seeded) | times for id in FLOWS])
    connection.execute(insert(tables.versions), [_version_row(id, at) | times for id in FLOWS])
    if with_schedule:
        row = {
            **schedules.DEFAULTS,
            "cron_string": "* * * * *",
            "flow_version_id": CLOCK,
            "overlap": seeded.choice(("skip", "queue", "allow")),
            "catch_up": seeded.choice(("none", "latest", "all")),
            "jitter_seconds": seeded.choice((0, 0, 10)),
            **times,
        }
        connection.execute(insert(tables.schedules), row)
        schedules.activate(connection, CLOCK, at)


def company(flow_id: int) -> int:
    """Whose a flow is; the one that starts another has the same company."""
    return 1 if flow_id in (PARENT, CHILD) else 1 + flow_id % 2


def _flow_row(id: int, seeded: random.Random) -> dict[str, Any]:
    return {
        "id": id,
        "company_id": company(id),
        "name": f"F{id}",
        "description": "",
        "is_enabled": True,
        "priority": seeded.randint(1, 5),
        "labels": [],
        "last_iteration": 1,
        "concurrency": seeded.choice((0, 0, 1, 2)),
        "concurrency_key": "[[payload.customer]]" if id == LANE else None,
        "run_timeout_seconds": seeded.choice((None, None, None, 60)),
    }


def _version_row(id: int, at: datetime) -> dict[str, Any]:
    return {
        "id": id,
        "flow_id": id,
        "iteration": 1,
        "status": version.Status.DEPLOYED,
        "revision": 1,
        "content_hash": HASHES[id],
        "steps_count": len(FLOWS[id].steps),
        "has_callback_step": False,
        "variables": {},
        "deployed_at": at,
    }
