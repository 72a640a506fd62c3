"""Endpoints of connectors in the configs of steps.

An endpoint is copied into the config when its step is saved: a version holds all that it does, and an edit of the
connector changes no version and no run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, select

from flowloom import errors
from flowloom.services import connector_documents
from flowloom.services.actor import Actor
from flowloom.steps import contract
from flowloom.store import query, tables

CONNECTIONS, CONNECTORS = tables.connections.c, tables.connectors.c
_FIELDS: Final = frozenset(connector_documents.CONFIG_FIELDS.values())
_NAMES_SHOWN: Final = 10


def filled(
    connection: Connection,
    actor: Actor,
    step_type: contract.StepType,
    fields: Mapping[str, Any],
    before: Mapping[str, Any] | None = None,
) -> Mapping[str, Any]:
    """The fields of a step, its config with what it leaves out from the endpoint it names. Raises Invalid.

    What the config says itself wins; `query` and `headers` name by name. `before` is the config that is replaced: with
    another endpoint, what stayed as it was is from the old one and goes.
    """
    config = fields.get("config", {})
    key = config.get("endpoint")
    if step_type.microservice != "connector" or not isinstance(key, str):
        return fields
    return {**fields, "config": _copied(connection, actor, key, config, before)}


def _copied(
    connection: Connection,
    actor: Actor,
    key: str,
    config: Mapping[str, Any],
    before: Mapping[str, Any] | None,
) -> dict[str, Any]:
    found = connector_documents.config_of(_endpoint(connection, actor, config.get("connection_id"), key))
    said = dict(config)
    if before and before.get("endpoint") not in (None, key):
        said = {
            name: value for name, value in said.items() if name not in _FIELDS or value != before.get(name)
        }
    for name in ("query", "headers"):
        if isinstance(said.get(name), dict) and name in found:
            said[name] = {**found[name], **said[name]}
    return {**found, **said}


def _endpoint(connection: Connection, actor: Actor, connection_id: object, key: str) -> Mapping[str, Any]:
    for endpoint in (endpoints := _of_connection(connection, actor, connection_id)):
        if endpoint["key"] == key:
            return endpoint
    names = [endpoint["key"] for endpoint in endpoints[:_NAMES_SHOWN]]
    more = ", ..." if len(endpoints) > _NAMES_SHOWN else ""
    raise errors.Invalid.field(
        "config.endpoint",
        f"The connector has no endpoint '{key[:100]}'; it has: {', '.join(names) or 'none'}{more}. "
        "Name one of them, or remove endpoint.",
    )


def _of_connection(
    connection: Connection, actor: Actor, connection_id: object
) -> Sequence[Mapping[str, Any]]:
    """The endpoints of a connection's connector. Raises Invalid when it has none."""
    document = None
    if isinstance(connection_id, int) and 0 < connection_id <= query.MAX_ID:
        joined = tables.connectors.join(tables.connections, CONNECTORS.id == CONNECTIONS.connector_id)
        own = (CONNECTIONS.id == connection_id, CONNECTIONS.company_id == actor.company_id)
        document = connection.scalar(select(CONNECTORS.document).select_from(joined).where(*own))
    if document is None:
        raise errors.Invalid.field(
            "config.endpoint",
            "An endpoint needs a connection_id whose connection has a connector; give one, or remove endpoint.",
        )
    endpoints: Sequence[Mapping[str, Any]] = document["endpoints"]
    return endpoints
