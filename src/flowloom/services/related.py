"""What an answer about versions may include: users, steps, runs, schedules, filters, variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, select

from flowloom.services import graphs, runs, schedules, users
from flowloom.store import tables

Items = Sequence[dict[str, Any]]


def add(
    connection: Connection, items: list[dict[str, Any]], includes: frozenset[str]
) -> list[dict[str, Any]]:
    """The versions with what `includes` names added to each."""
    for name in _ADD:
        if name in includes and items:
            _ADD[name](connection, items)
    return items


def _ids(items: Items) -> list[int]:
    return [item["id"] for item in items]


def _add_user(by: str) -> Callable[[Connection, Items], None]:
    def put(connection: Connection, items: Items) -> None:
        found = users.by_id(connection, {item[by] for item in items if by in item})
        for item in items:
            if item.get(by) in found:
                item[f"{by}_user"] = found[item[by]]

    return put


def _add_steps(connection: Connection, items: Items) -> None:
    found = graphs.of_versions(connection, _ids(items))
    for item in items:
        item["steps"] = [graphs.step_view(step, item["id"]) for step in found[item["id"]].ordered()]


def _add_filters(connection: Connection, items: Items) -> None:
    found = graphs.of_versions(connection, _ids(items))
    for item in items:
        item["filters"] = graphs.filters(found[item["id"]])


def _add_runs(connection: Connection, items: Items) -> None:
    for item in items:
        item["runs"] = runs.newest(connection, item["id"], 25)


def _add_latest_run(connection: Connection, items: Items) -> None:
    for item in items:
        for found in runs.newest(connection, item["id"], 1):
            item["latest_run"] = found


def _add_schedules(connection: Connection, items: Items) -> None:
    found = schedules.of_versions(connection, _ids(items))
    for item in items:
        item["schedules"] = found.get(item["id"], [])


def _add_variables(connection: Connection, items: Items) -> None:
    columns = tables.versions.c
    wanted = select(columns.id, columns.variables, columns.secrets).where(columns.id.in_(_ids(items)))
    found = {row.id: row for row in connection.execute(wanted)}
    for item in items:
        row = found[item["id"]]
        item["variables"] = row.variables
        if row.secrets:
            item["secrets"] = sorted(row.secrets)


_ADD: Final[dict[str, Callable[[Connection, Items], None]]] = {
    "savedByUser": _add_user("saved_by"),
    "deployedByUser": _add_user("deployed_by"),
    "steps": _add_steps,
    "runs": _add_runs,
    "latestRun": _add_latest_run,
    "schedules": _add_schedules,
    "filters": _add_filters,
    "variables": _add_variables,
}
INCLUDES: Final[tuple[str, ...]] = tuple(_ADD)
