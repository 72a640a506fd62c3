"""Releases: what a version must be to run, deploying it in place of another one, and taking it back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from flowloom import errors
from flowloom.domain import conditions, graph, templates, version
from flowloom.services import circles, owned, schedules, secret_places
from flowloom.services.actor import Actor
from flowloom.steps import contract, registry
from flowloom.store import definitions, tables

VERSIONS = tables.versions.c
# What configs name by id, by field; the flows that run-flow steps name are judged with their circles.
_NAMED: Final = {
    "connection_id": ("Connection", tables.connections),
    "group_id": ("Notification group", tables.notification_groups),
}
HAS_ROUTES: Mapping[str, bool] = {name: kind.has_routes for name, kind in registry.TYPES.items()}


def change(
    connection: Connection,
    actor: Actor,
    flow_id: int,
    id: int,
    fields: Mapping[str, Any],
    if_match: str | None = None,
) -> dict[str, Any]:
    """Change what `fields` names of label, message and `deployed_at` (None undeploys). Raises as `deploy` does."""
    words = {name: fields[name] or None for name in ("label", "message") if name in fields}
    if words:
        row = owned.lock_version(connection, actor, id, flow_id=flow_id)
        owned.require_match(row, if_match)
        # They say what a version is about and are no part of what runs, so that a deployed one may get them too.
        _set(connection, id, **words, updated_at=actor.at)
    if "deployed_at" not in fields:
        return owned.version_view(owned.load_version(connection, actor, id, flow_id=flow_id))
    if fields["deployed_at"] is None:
        return undeploy(connection, actor, flow_id, id, if_match)
    return deploy(connection, actor, flow_id, id, fields["deployed_at"], if_match)


def deploy(
    connection: Connection,
    actor: Actor,
    flow_id: int,
    id: int,
    deployed_at: datetime,
    if_match: str | None = None,
) -> dict[str, Any]:
    """Make a version the Deployed one; the one before becomes Inactive in the same transaction.

    Raises Missing, and Invalid for a time ahead or for a version that could not run, naming each step and field.
    """
    row = owned.lock_version(connection, actor, id, flow_id=flow_id)
    owned.require_match(row, if_match)
    if row.status != version.Status.DEPLOYED:
        version.require_due(deployed_at, actor.at)
        require_runnable(connection, actor, row)
        _retire_deployed(connection, actor, flow_id)
        _set(connection, id, status=version.Status.DEPLOYED, deployed_at=deployed_at,
             deployed_by=actor.user_id, updated_at=actor.at)  # fmt: skip
        definitions.keep(connection, id)
        schedules.activate(connection, id, actor.at)
    return owned.version_view(owned.load_version(connection, actor, id))


def undeploy(
    connection: Connection, actor: Actor, flow_id: int, id: int, if_match: str | None = None
) -> dict[str, Any]:
    """Take a Deployed version back to Inactive; any other stays as it is. Raises Missing, Conflict."""
    row = owned.lock_version(connection, actor, id, flow_id=flow_id)
    owned.require_match(row, if_match)
    if row.status == version.Status.DEPLOYED:
        _retire_deployed(connection, actor, flow_id)
    return owned.version_view(owned.load_version(connection, actor, id))


def _retire_deployed(connection: Connection, actor: Actor, flow_id: int) -> None:
    deployed = select(VERSIONS.id).where(
        VERSIONS.flow_id == flow_id, VERSIONS.status == version.Status.DEPLOYED
    )
    for id in connection.scalars(deployed).all():
        schedules.deactivate(connection, id, actor.at)
        _set(
            connection,
            id,
            status=version.Status.INACTIVE,
            deployed_at=None,
            deployed_by=None,
            updated_at=actor.at,
        )


def _set(connection: Connection, id: int, **values: Any) -> None:
    connection.execute(update(tables.versions).where(VERSIONS.id == id).values(values))


def require_runnable(connection: Connection, actor: Actor, row: Row[Any]) -> None:
    """Raise Invalid with everything that keeps a version from running, as steps.<id>.<field>."""
    drawn = definitions.load_graph(connection, row.id)
    found = drawn.faults(HAS_ROUTES)
    known = known_variables(drawn, row.variables)
    owned = _owned_by(connection, actor.company_id)
    for step in drawn.ordered():
        for name, words in _step_faults(step, drawn, known[step.id], frozenset(row.secrets), owned).items():
            found[f"steps.{step.id}.{name}"] = [f"{graph.label(step)}, {name}: {text}" for text in words]
    found |= circles.faults(connection, actor, row, drawn)
    if found:
        raise errors.Invalid(found)


@dataclass(frozen=True, slots=True)
class _Owned:
    """What a company has that its steps may name: ids by config field, names of lookup tables and data pools,
    the variables and the secrets of connections."""

    ids: Mapping[str, Collection[int]]
    lookups: Collection[str]
    pools: Collection[str]
    connection_variables: Mapping[int, Collection[str]]
    connection_secrets: Mapping[int, Collection[str]]


def _owned_by(connection: Connection, company_id: int) -> _Owned:
    def own(column: Any) -> set[Any]:
        return set(connection.scalars(select(column).where(column.table.c.company_id == company_id)))

    return _Owned(
        {name: own(table.c.id) for name, (_, table) in _NAMED.items()},
        own(tables.lookup_tables.c.name),
        own(tables.data_pools.c.name),
        _names_by_connection(connection, company_id, tables.connections.c.variables),
        _names_by_connection(connection, company_id, tables.connections.c.secrets),
    )


def _names_by_connection(connection: Connection, company_id: int, column: Any) -> dict[int, Collection[str]]:
    """The company's connections, each with the names of its variables, or of its secrets."""
    columns = tables.connections.c
    rows = connection.execute(select(columns.id, column).where(columns.company_id == company_id))
    return {id: values.keys() for id, values in rows}


def known_variables(drawn: graph.Graph, variables: Mapping[str, Any]) -> dict[int, frozenset[str]]:
    """The variables that a step's templates may name, by step: the version's, and those set by the steps above it."""
    of_version = frozenset(variables)
    known: dict[int, frozenset[str]] = {}
    set_in: dict[int, frozenset[str]] = {}
    for step in drawn.ordered():
        above = step.parent_id or 0
        known[step.id] = known.get(above, of_version) | set_in.get(above, frozenset())
        set_in[step.id] = _variables_set(step)
    return known


def _variables_set(step: graph.Step) -> frozenset[str]:
    named = step.config.get("variables")
    if step.microservice != "set-variables" or not step.is_enabled or not isinstance(named, dict):
        return frozenset()
    return frozenset(named)


def _step_faults(
    step: graph.Step, drawn: graph.Graph, known: frozenset[str], secrets: frozenset[str], owned: _Owned
) -> dict[str, list[str]]:
    try:
        step_type = registry.get(step.microservice)
        config, problems = registry.check(step_type, step.config)
        if config is None or problems:
            return problems
        legs = [contract.Leg(route.key, route.name, route.where) for route in drawn.routes_of(step.id)]
        compiled = step_type.compile(config, legs)
        own = templates.compile_tree(step.variables, "variables")
    except errors.Invalid as invalid:
        return invalid.errors
    id = step.config.get("connection_id", 0)
    of_connection = owned.connection_variables.get(id, ())
    secrets = secrets.union(set(owned.connection_secrets.get(id, ())) - known)
    used = _used(step_type, step, legs)
    return {
        **_unknown_variables(used, known.union(step.variables, of_connection, secrets)),
        **_unknown_variables({"variables": own.variables}, known.union(secrets)),
        **secret_places.faults(step, used, secrets.difference(step.variables)),
        **secret_places.faults(step, {"variables": own.variables}, secrets),
        **secret_places.overwritten(_variables_set(step), secrets),
        **_foreign(step, owned.ids),
        **_unknown_data(compiled, owned),
        **_nowhere(step),
    }


def _used(
    step_type: contract.StepType, step: graph.Step, legs: Sequence[contract.Leg]
) -> dict[str, Collection[str]]:
    """The variables that a step's config and the conditions of its routes use, by field."""
    in_config = registry.used_variables(step_type.config, step.config)
    in_legs = {
        f"routes.{leg.key}.where": conditions.compile(leg.where).variables for leg in legs if leg.where
    }
    return {**{f"config.{field}": names for field, names in in_config.items()}, **in_legs}


def _unknown_variables(used: Mapping[str, Collection[str]], known: Collection[str]) -> dict[str, list[str]]:
    return {
        field: [
            f"The variable '{name}' is not known here; add it to the version's variables, or set it in a step above."
            for name in sorted(unknown)
        ]
        for field, names in used.items()
        if (unknown := set(names) - set(known))
    }


def _nowhere(step: graph.Step) -> dict[str, list[str]]:
    """A connector's relative URL without a connection leads nowhere; one that begins with a variable may be whole."""
    url = step.config.get("url", "://")
    if "://" in url or url.startswith("{{") or step.config.get("connection_id") is not None:
        return {}
    return {"config.url": ["The URL is relative; write it as https://host/path, or choose a connection."]}


def _foreign(step: graph.Step, owned: Mapping[str, Collection[int]]) -> dict[str, list[str]]:
    """What a config names that is gone or was never the company's."""
    return {
        f"config.{name}": [f"{noun} {asked} was not found; choose one of your own."]
        for name, (noun, _) in _NAMED.items()
        if (asked := step.config.get(name)) is not None and asked not in owned[name]
    }


def _unknown_data(compiled: contract.Compiled, owned: _Owned) -> dict[str, list[str]]:
    found = {
        f"config.{field}": [f"There is no lookup table '{name}'; make it, or choose another one."]
        for name, field in compiled.lookups.items()
        if name not in owned.lookups
    }
    if compiled.pool is not None and compiled.pool not in owned.pools:
        found["config.pool"] = [f"There is no data pool '{compiled.pool}'; make it, or choose another one."]
    return found
