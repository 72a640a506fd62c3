"""Definitions: the graph of a version as rows, and the same by content hash, which is what runs are pinned to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, insert, select, update

from flowloom import errors
from flowloom.domain import graph, version
from flowloom.store import database, tables
from flowloom.store.secret_variables import Kept

STEPS, ROUTES = tables.steps.c, tables.routes.c
_STEP_FIELDS = [STEPS[name] for name in graph.Step.__struct_fields__]
_ROUTE_FIELDS = [ROUTES[name] for name in graph.Route.__struct_fields__]
# Made at import: two threads that build a struct's decoder at the same time crash msgspec 0.22, and the process.
_DEFINITIONS: Final = msgspec.json.Decoder(graph.Definition)


def load_graph(connection: Connection, version_id: int) -> graph.Graph:
    """The steps and routes of a version."""
    steps = connection.execute(select(*_STEP_FIELDS).where(STEPS.flow_version_id == version_id))
    routes = connection.execute(select(*_ROUTE_FIELDS).where(ROUTES.flow_version_id == version_id))
    return graph.Graph(
        [graph.Step(**row._mapping) for row in steps], [graph.Route(**row._mapping) for row in routes]
    )


def define(connection: Connection, version_id: int) -> graph.Definition:
    """The definition of a version as it stands now."""
    return _defined(connection, version_id)[0]


def _defined(connection: Connection, version_id: int) -> tuple[graph.Definition, Kept]:
    """The definition, and the secrets that go with it."""
    # Whoever edits a version holds its row: steps, routes and variables are read between two edits.
    columns = tables.versions.c
    found = select(columns.variables, columns.secrets).where(columns.id == version_id)
    row = connection.execute(found.with_for_update(read=True)).one_or_none()
    variables, secrets = ({}, {}) if row is None else row
    digests = {name: kept["digest"] for name, kept in secrets.items()}
    return load_graph(connection, version_id).definition(variables, digests), secrets


def keep(connection: Connection, version_id: int) -> str:
    """Keep the definition of a version by its content hash; the hash."""
    definition, secrets = _defined(connection, version_id)
    content_hash = version.content_hash(definition)
    row = {
        "content_hash": content_hash,
        "body": version.canonical(definition),
        "secrets": dict(secrets) or None,
    }
    connection.execute(database.insert_or_ignore(connection, tables.definitions), row)
    return content_hash


def load(connection: Connection, content_hash: str) -> graph.Definition:
    """The definition of this hash. Raises Missing."""
    body = connection.scalar(
        select(tables.definitions.c.body).where(tables.definitions.c.content_hash == content_hash)
    )
    if body is None:
        raise errors.Missing("Definition", content_hash[:12])
    return _DEFINITIONS.decode(body)


def write(connection: Connection, version_id: int, definition: graph.Definition, at: datetime) -> None:
    """Write a definition as the rows of a version that has none yet; `definition.steps` has parents first."""
    step_ids: dict[str, int] = {}
    for step in definition.steps:
        step_ids[step.key] = _insert_step(connection, version_id, step, step_ids, at)
    route_ids = {
        route.key: _insert_route(connection, version_id, route, number, step_ids, at)
        for number, route in enumerate(definition.routes)
    }
    for step in definition.steps:
        if step.route is not None:
            hung = update(tables.steps).where(STEPS.id == step_ids[step.key])
            connection.execute(hung.values(flow_step_route_id=route_ids[step.route]))


def _insert_step(
    connection: Connection,
    version_id: int,
    step: graph.StepDefinition,
    step_ids: Mapping[str, int],
    at: datetime,
) -> int:
    row = {
        "flow_version_id": version_id,
        "key": step.key,
        "microservice": step.microservice,
        "name": step.name,
        "config": step.config,
        "position": step.position,
        "parent_id": step_ids.get(step.parent or ""),
        "is_enabled": step.is_enabled,
        "variables": step.variables,
        "created_at": at,
        "updated_at": at,
    }
    return int(connection.execute(insert(tables.steps).values(row).returning(STEPS.id)).scalar_one())


def _insert_route(
    connection: Connection,
    version_id: int,
    route: graph.RouteDefinition,
    number: int,
    step_ids: Mapping[str, int],
    at: datetime,
) -> int:
    row = {
        "flow_version_id": version_id,
        "flow_step_id": step_ids[route.step],
        "key": route.key,
        "name": route.name,
        "position": number,
        "where": route.where,
        "created_at": at,
        "updated_at": at,
    }
    return int(connection.execute(insert(tables.routes).values(row).returning(ROUTES.id)).scalar_one())
