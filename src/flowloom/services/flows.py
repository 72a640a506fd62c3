"""Flows: what a company has drawn. Creating one makes its first Draft."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from flowloom import errors
from flowloom.domain import alerts, templates, version
from flowloom.services import activity, notification_groups, owned, schedules, versions, views
from flowloom.services.actor import Actor
from flowloom.store import gates, query, tables

FLOWS, VERSIONS = tables.flows.c, tables.versions.c
# What null takes away; null for anything else leaves it as it is.
CLEARABLE = (
    "log_retention_days", "payload_retention_days", "concurrency_key", "run_timeout_seconds", "alerts",
)  # fmt: skip
_RELATED = ("latestVersion", "deployedVersion", "currentVersion", "versions")

LISTING = query.Listing(
    select=select(tables.flows).where(FLOWS.company_id == bindparam("company_id")),
    id=FLOWS.id,
    sorts={name: FLOWS[name] for name in ("name", "priority", "created_at", "updated_at")},
    filters={
        "id": query.Filter(FLOWS.id, "id"),
        "name": query.Filter(FLOWS.name, "text", help="Exact names, with commas between"),
        "search": query.part_of(FLOWS.name),
        "label": query.Filter(FLOWS.labels, "label", "holds", help="One label, in any case of letters"),
        "is_enabled": query.Filter(FLOWS.is_enabled, "boolean"),
        "priority": query.Filter(FLOWS.priority, "choice", choices={str(one): one for one in range(1, 6)}),
    },
    includes=(
        *_RELATED,
        *(f"{name}{suffix}" for name in _RELATED for suffix in ("Count", "_count", "Exists")),
        *activity.INCLUDES,
    ),
)


def page(connection: Connection, actor: Actor, asked: query.Page) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of the company's flows."""
    found = query.fetch(connection, LISTING, asked, company_id=actor.company_id)
    items = [view(row) for row in found.rows]
    _include(connection, actor, items, asked.includes)
    return found, items


def get(connection: Connection, actor: Actor, id: int, includes: Iterable[str] = ()) -> dict[str, Any]:
    """One flow. Raises Missing."""
    item = view(owned.load_flow(connection, actor, id))
    _include(connection, actor, [item], frozenset(includes))
    return item


def create(connection: Connection, actor: Actor, fields: Mapping[str, Any]) -> dict[str, Any]:
    """A flow with its first Draft, which holds the trigger step. Raises Invalid on `concurrency_key`, `alerts`."""
    _check(fields)
    id = insert_flow(connection, actor, fields)
    versions.create_draft(connection, actor, id)
    return get(connection, actor, id)


def insert_flow(connection: Connection, actor: Actor, fields: Mapping[str, Any]) -> int:
    """A flow without any version; its id. `fields` is what a document or a request says of it."""
    _require_alerts(connection, actor, fields)
    row = {
        "company_id": actor.company_id,
        **fields,
        "last_iteration": 0,
        "alert_state": alerts.watched_from(None, actor.at),
        "created_at": actor.at,
        "updated_at": actor.at,
    }
    return int(connection.execute(insert(tables.flows).values(row).returning(FLOWS.id)).scalar_one())


def change(connection: Connection, actor: Actor, id: int, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Change what `fields` names; None clears what is CLEARABLE.

    Enabling settles the schedules: slots that passed meanwhile were paused. Runs that are queued keep their key.
    Raises Missing, and Invalid on `concurrency_key` and `alerts`.
    """
    _check(fields)
    row = owned.load_flow(connection, actor, id, lock=True)
    _require_alerts(connection, actor, fields)
    if fields.get("is_enabled") and not row.is_enabled:
        schedules.resume(connection, id, actor.at)
    if fields:
        values = {**fields, **_alert_state(row, fields, actor), "updated_at": actor.at}
        connection.execute(update(tables.flows).where(FLOWS.id == id).values(values))
    if fields.get("concurrency", row.concurrency) != row.concurrency:
        gates.reopen(connection, id, actor.at)
    return get(connection, actor, id)


def _alert_state(row: Row[Any], fields: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    """What is remembered of a flow's alerts after a change: new ones know of nothing, enabling begins to watch."""
    if fields.get("alerts", row.alerts) != row.alerts:
        return {"alert_state": alerts.watched_from(None, actor.at)}
    if fields.get("is_enabled") and not row.is_enabled:
        return {"alert_state": alerts.watched_from(row.alert_state, actor.at)}
    return {}


def _require_alerts(connection: Connection, actor: Actor, fields: Mapping[str, Any]) -> None:
    wanted = fields.get("alerts")
    if wanted is not None:
        place = "alerts.notification_group_id"
        notification_groups.require(connection, actor, wanted["notification_group_id"], place)


def remove(connection: Connection, actor: Actor, id: int) -> None:
    """Delete a flow and its versions; runs and metrics stay. Raises Forbidden while a version is Deployed."""
    owned.load_flow(connection, actor, id, lock=True)
    deployed = select(VERSIONS.iteration).where(
        VERSIONS.flow_id == id, VERSIONS.status == version.Status.DEPLOYED
    )
    iteration = connection.scalar(deployed)
    if iteration is not None:
        raise errors.Forbidden(f"Version {iteration} of flow {id} is Deployed; undeploy it first.")
    connection.execute(delete(tables.flows).where(FLOWS.id == id))
    gates.reopen(connection, id, actor.at)


def _check(fields: Mapping[str, Any]) -> None:
    if fields.get("concurrency_key") is not None:
        templates.compile(fields["concurrency_key"], "concurrency_key")


def view(row: Row[Any]) -> dict[str, Any]:
    """A flow as the API shows it."""
    return views.present(
        {
            "id": row.id,
            "name": row.name,
            "description": row.description,
            "is_enabled": row.is_enabled,
            "priority": row.priority,
            "labels": row.labels,
            "concurrency": row.concurrency,
            **{name: row._mapping[name] for name in CLEARABLE},
            "alerts": None if row.alerts is None else views.present(row.alerts),
            "created_at": views.instant(row.created_at),
            "updated_at": views.instant(row.updated_at),
        }
    )


def _include(
    connection: Connection, actor: Actor, items: list[dict[str, Any]], includes: frozenset[str]
) -> None:
    activity.add(connection, items, includes, actor.at)
    if not includes.difference(activity.INCLUDES) or not items:
        return
    counts_all = any(name.startswith("versions") for name in includes)
    ids = [item["id"] for item in items]
    by_flow = versions.of_flows(connection, ids, only_standing=not counts_all)
    for item in items:
        for name, found in _related(by_flow.get(item["id"], [])).items():
            _put(item, name, found, includes)


def _related(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The versions a flow has: all, the newest, the Deployed one, and the current one (the Draft, else the newest)."""
    newest = found[-1] if found else None
    draft = next((one for one in found if one["status"] == version.Status.DRAFT), None)
    deployed = next((one for one in found if one["status"] == version.Status.DEPLOYED), None)
    return {
        "latestVersion": newest,
        "deployedVersion": deployed,
        "currentVersion": draft or deployed or newest,
        "versions": found,
    }


def _put(item: dict[str, Any], name: str, found: Any, includes: frozenset[str]) -> None:
    key = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    count = len(found) if isinstance(found, list) else int(found is not None)
    if name in includes and found is not None:
        item[key] = found
    if includes & {f"{name}Count", f"{name}_count"}:
        item[f"{key}_count"] = count
    if f"{name}Exists" in includes:
        item[f"{key}_exists"] = count > 0
