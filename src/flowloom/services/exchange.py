"""Flows in and out: exporting a version of a flow as a document, and making a flow of such a document.

An import is inert: the flow is disabled, its version a Draft.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, select

from flowloom import errors
from flowloom.domain import graph, version
from flowloom.services import documents, flows, names, owned, schedules, versions
from flowloom.services.actor import Actor
from flowloom.store import definitions, tables

# What is the company's own and named by id in configs, by field.
_NAMED: Final = {
    "connection_id": ("connections", tables.connections),
    "group_id": ("notification groups", tables.notification_groups),
}


def export_flow(
    connection: Connection, actor: Actor, flow_id: int, version_id: int | None = None
) -> dict[str, Any]:
    """A version of a flow (else the Deployed one, else the newest) as a document. Raises Missing, Invalid.

    {format, format_version, flow: {name, description, priority, labels, ...}, definition, schedules, secrets?}; of the
    flow's limits only those that it has, of its secrets only the names.
    """
    row = owned.load_flow(connection, actor, flow_id)
    chosen_id = _chosen(connection, actor, flow_id, version_id)
    of_version = schedules.of_versions(connection, [chosen_id]).get(chosen_id, [])
    definition = definitions.define(connection, chosen_id)
    secrets, definition.secrets = sorted(definition.secrets), {}
    return {
        "format": documents.FORMAT,
        "format_version": documents.FORMAT_VERSION,
        "flow": _flow(row),
        "definition": msgspec.to_builtins(definition),
        "schedules": [
            {name: one[name] for name in documents.Schedule.__struct_fields__} for one in of_version
        ],
        **({"secrets": secrets} if secrets else {}),
    }


def _flow(row: Row[Any]) -> dict[str, Any]:
    fields = {name: row._mapping[name] for name in documents.Flow.__struct_fields__}
    limits = ("concurrency", "concurrency_key", "run_timeout_seconds")
    return {name: value for name, value in fields.items() if value or name not in limits}


def _chosen(connection: Connection, actor: Actor, flow_id: int, version_id: int | None) -> int:
    if version_id is not None:
        return int(owned.load_version(connection, actor, version_id, flow_id=flow_id).id)
    found = versions.of_flows(connection, [flow_id]).get(flow_id, [])
    if not found:
        raise errors.Invalid.field("flow", f"Flow {flow_id} has no version to export; create one first.")
    deployed = (one for one in found if one["status"] == version.Status.DEPLOYED)
    return int(next(deployed, found[-1])["id"])


def import_flow(
    connection: Connection, actor: Actor, document: Mapping[str, Any], name: str | None = None
) -> dict[str, Any]:
    """Make a disabled flow with a Draft of a document; the flow. Raises Invalid naming the place.

    `name` (1 to 255 characters) is used instead of the document's.
    """
    return make_flow(connection, actor, documents.read(document), name)


def make_flow(
    connection: Connection, actor: Actor, found: documents.Document, name: str | None = None
) -> dict[str, Any]:
    """The same for a document that was read. Raises Invalid on `name`.

    Connections and notification groups that are not the company's are left out of the configs; the Draft's message
    tells of which steps, and which secrets it needs.
    """
    fields = {**msgspec.structs.asdict(found.flow), "is_enabled": False}
    flow_id = flows.insert_flow(
        connection,
        actor,
        {**fields, "name": found.flow.name if name is None else names.require("name", name)},
    )
    message = _message(_drop_foreign(connection, actor, found.definition.steps), found.secrets)
    version_id = versions.create_draft(connection, actor, flow_id, found.definition, message)
    # The document may list its steps in another order than they run in, which is what the hash is taken of.
    owned.note_save(connection, actor, version_id)
    schedules.restore(connection, version_id, msgspec.to_builtins(found.schedules), actor.at)
    return flows.get(connection, actor, flow_id)


def duplicate(connection: Connection, actor: Actor, flow_id: int) -> dict[str, Any]:
    """Make a disabled flow with a Draft of what an export of a flow holds; the new flow. Raises Missing, Invalid."""
    document = export_flow(connection, actor, flow_id)
    name = f"Copy of {document['flow']['name']}"[: documents.MAX_NAME]
    return import_flow(connection, actor, document, name)


def _drop_foreign(
    connection: Connection, actor: Actor, steps: Sequence[graph.StepDefinition]
) -> dict[str, list[str]]:
    """Take what is not the company's out of the configs; by what it was, the names of the steps that had one."""
    dropped: dict[str, list[str]] = {}
    for name, (noun, table) in _NAMED.items():
        own = select(table.c.id).where(table.c.company_id == actor.company_id)
        owned = set(connection.scalars(own))
        for step in steps:
            if step.config.get(name) not in (None, *owned):
                step.config = {key: value for key, value in step.config.items() if key != name}
                dropped.setdefault(noun, []).append(f'"{step.name}"')
    return dropped


def _message(dropped: Mapping[str, Sequence[str]], secrets: Sequence[str]) -> str:
    nouns = " and ".join([*dropped, *(["secrets"] if secrets else [])])
    steps = ", ".join(dict.fromkeys(name for names in dropped.values() for name in names))
    chosen = f"; choose them again in {steps}" if dropped else ""
    entered = f"; enter again: {', '.join(secrets)}" if secrets else ""
    return f"Imported{' without its ' if nouns else ''}{nouns}{chosen}{entered}"
