"""Flows that start each other: a version that would close a circle is found before it is deployed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Row, or_, select

from flowloom.domain import graph, version
from flowloom.services.actor import Actor
from flowloom.store import tables

FLOWS, VERSIONS, STEPS = tables.flows.c, tables.versions.c, tables.steps.c
RUN_FLOW: Final = "run-flow"


def faults(connection: Connection, actor: Actor, row: Row[Any], drawn: graph.Graph) -> dict[str, list[str]]:
    """What is wrong with the run-flow steps of a version, by field: no such flow or version, or a circle."""
    starting = [step for step in drawn.steps.values() if step.microservice == RUN_FLOW and step.is_enabled]
    if not starting:
        return {}
    # Two deployments at once must not close a circle between them: the second waits, and sees the first.
    company = select(tables.companies.c.id).where(tables.companies.c.id == actor.company_id)
    connection.execute(company.with_for_update())
    flows = set(connection.scalars(select(FLOWS.id).where(FLOWS.company_id == actor.company_id)))
    started = _started_by(connection, actor, [step.config.get("version_id") for step in starting])
    found: dict[str, list[str]] = {}
    for step in starting:
        for name, words in _fault(step, row.flow_id, flows, started).items():
            found[f"steps.{step.id}.{name}"] = [f"{graph.label(step)}, {name}: {words}"]
    return found


def _fault(
    step: graph.Step, own_id: int, flows: set[int], started: Mapping[tuple[int, int | None], set[Any]]
) -> dict[str, str]:
    flow_id, version_id = step.config.get("flow_id"), step.config.get("version_id")
    if flow_id is None:
        return {}
    if flow_id not in flows:
        return {"config.flow_id": f"Flow {flow_id} was not found; choose one of your flows."}
    if version_id is not None and (flow_id, version_id) not in started:
        return {"config.version_id": f"Flow {flow_id} has no version {version_id}."}
    way = _way_back((flow_id, version_id), own_id, started)
    if way is None:
        return {}
    by_way = f" by way of {', '.join(f'flow {id}' for id in way)}" if way else ""
    return {"config.flow_id": f"Flow {flow_id} would start this flow again{by_way}; break the circle."}


def _way_back(
    first: tuple[int, int | None], own_id: int, started: Mapping[tuple[int, int | None], set[Any]]
) -> list[int] | None:
    """The flows between one that is started and the own flow; None when it is not started again."""
    waiting: list[tuple[tuple[int, int | None], list[int]]] = [(first, [])]
    seen = set()
    while waiting:
        (flow_id, version_id), way = waiting.pop()
        if flow_id == own_id:
            return way
        if (flow_id, version_id) not in seen:
            seen.add((flow_id, version_id))
            following = sorted(started.get((flow_id, version_id), ()), key=str)
            waiting += [(place, way if place[0] == own_id else [*way, place[0]]) for place in following]
    return None


def _started_by(
    connection: Connection, actor: Actor, version_ids: Iterable[int | None]
) -> dict[tuple[int, int | None], set[Any]]:
    """What each Deployed version of the company, and each of these, starts: by (flow, None) and (flow, version)."""
    named = [id for id in version_ids if id is not None]
    versions = (
        select(VERSIONS.id, VERSIONS.flow_id, VERSIONS.status, STEPS.config)
        .join(tables.flows, FLOWS.id == VERSIONS.flow_id)
        .join(
            tables.steps,
            (STEPS.flow_version_id == VERSIONS.id) & (STEPS.microservice == RUN_FLOW) & STEPS.is_enabled,
            isouter=True,
        )
        .where(
            FLOWS.company_id == actor.company_id,
            or_(VERSIONS.status == version.Status.DEPLOYED, VERSIONS.id.in_(named)),
        )
    )
    found: dict[tuple[int, int | None], set[Any]] = defaultdict(set)
    for row in connection.execute(versions):
        keys = [(row.flow_id, row.id)]
        if row.status == version.Status.DEPLOYED:
            keys.append((row.flow_id, None))
        for key in keys:
            starts = found[key]
            if row.config is not None and row.config.get("flow_id") is not None:
                starts.add((row.config["flow_id"], row.config.get("version_id")))
    return found
