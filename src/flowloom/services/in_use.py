"""Whether a Deployed version uses what somebody wants to delete or rename."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Text, select, type_coerce

from flowloom.domain import version
from flowloom.services.actor import Actor
from flowloom.steps import registry
from flowloom.store import tables

FLOWS, VERSIONS, STEPS = tables.flows.c, tables.versions.c, tables.steps.c


def find(
    connection: Connection, actor: Actor, written: str, is_used: Callable[[str, Mapping[str, Any]], bool]
) -> str | None:
    """Name the first Deployed version of the company with a step that uses something: 'version 3 of flow 5 "Orders"'.

    `written` is the JSON text which the config of such a step holds; `is_used(microservice, config)` decides
    for a step of those.
    """
    candidates = connection.execute(
        select(FLOWS.id, FLOWS.name, VERSIONS.iteration, STEPS.microservice, STEPS.config)
        .join(tables.versions, VERSIONS.flow_id == FLOWS.id)
        .join(tables.steps, STEPS.flow_version_id == VERSIONS.id)
        .where(
            FLOWS.company_id == actor.company_id,
            VERSIONS.status == version.Status.DEPLOYED,
            type_coerce(STEPS.config, Text).contains(written, autoescape=True),
        )
        .order_by(FLOWS.id)
    )
    for row in candidates:
        if is_used(row.microservice, row.config):
            return f'version {row.iteration} of flow {row.id} "{row.name}"'
    return None


def find_by_id(connection: Connection, actor: Actor, key: str, id: int) -> str | None:
    """Name the first Deployed version with a step whose config has this id under a key; see `find`."""
    return find(connection, actor, f'"{key}":{id}', lambda _, config: bool(config.get(key) == id))


def find_variable(connection: Connection, actor: Actor, connection_id: int, name: str) -> str | None:
    """Name the first Deployed version with a step of this connection that fills in a variable."""

    def is_used(microservice: str, config: Mapping[str, Any]) -> bool:
        used = registry.used_variables(registry.get(microservice).config, config)
        return config.get("connection_id") == connection_id and any(name in names for names in used.values())

    return find(connection, actor, f'"connection_id":{connection_id}', is_used)
