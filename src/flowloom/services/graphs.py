"""The graph of a version: reading it, and editing a Draft's steps, routes and variables one at a time."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update

from flowloom import errors
from flowloom.domain import conditions, graph, templates, version
from flowloom.services import versions, views
from flowloom.services.actor import Actor
from flowloom.steps import registry
from flowloom.store import definitions, tables

STEPS, ROUTES, VERSIONS = tables.steps.c, tables.routes.c, tables.versions.c
MAX_STEPS: Final = 1000
MAX_ROUTES: Final = 100


def of_versions(connection: Connection, version_ids: Sequence[int]) -> dict[int, graph.Graph]:
    """The graphs of these versions, by version."""
    return {id: definitions.load_graph(connection, id) for id in version_ids}


def read(connection: Connection, actor: Actor, version_id: int) -> tuple[dict[str, Any], str]:
    """The graph of a version with the version itself, and the ETag of its saved state. Raises Missing."""
    row = versions.load(connection, actor, version_id)
    drawn = definitions.load_graph(connection, version_id)
    content = {
        "steps": [step_view(step, version_id) for step in drawn.ordered()],
        "routes": [route_view(route) for route in drawn.routes.values()],
        "version": versions.view(row),
    }
    return content, versions.etag(row)


def edit(connection: Connection, actor: Actor, version_id: int, if_match: str | None) -> graph.Graph:
    """The graph of a Draft, locked for editing. Raises Missing, VersionLocked, Conflict on a stale `if_match`."""
    row = versions.lock(connection, actor, version_id)
    version.require_editable(row.iteration, row.status)
    versions.require_match(row, if_match)
    return definitions.load_graph(connection, version_id)


def add_step(
    connection: Connection, actor: Actor, version_id: int, fields: Mapping[str, Any], if_match: str | None = None
) -> dict[str, Any]:
    """Put a step after its parent, before what followed it there. Raises Missing, Invalid, VersionLocked, Conflict.

    `fields` is {microservice, parent_id, name?, config?, flow_step_route_id?, position?, is_enabled?, variables?};
    the config of a step with routes may bring `routes: [{name, where?}]`, which become rows of their own.
    """
    row = versions.load(connection, actor, version_id)
    step_type = registry.get(fields["microservice"])
    config, routes = split_routes(fields.get("config") or {}, has_routes=step_type.has_routes)
    require_config(connection, actor, step_type.microservice, config)
    _require_variables(fields.get("variables") or {})
    drawn = edit(connection, actor, version_id, if_match)
    if step_type.microservice == graph.TRIGGER:
        raise errors.Invalid.field("microservice", "A version has one trigger, and this one has it already.")
    if len(drawn.steps) >= MAX_STEPS:
        raise errors.Invalid.field("steps", f"A version has at most {MAX_STEPS} steps.")
    drawn.require_place(fields["parent_id"], fields.get("flow_step_route_id"))
    step_id = _insert_step(connection, actor, row.id, {**fields, "config": config, "name": fields.get("name") or step_type.title})
    for number, route in enumerate(routes or ()):
        _insert_route(connection, actor, version_id, step_id, {**route, "position": number})
    _move(connection, actor, drawn.followers_at(fields["parent_id"], fields.get("flow_step_route_id")), step_id)
    return _saved_step(connection, actor, version_id, step_id)


def _insert_step(connection: Connection, actor: Actor, version_id: int, fields: Mapping[str, Any]) -> int:
    row = {
        "flow_version_id": version_id,
        "key": f"{fields['microservice']}-{secrets.token_hex(4)}",
        "microservice": fields["microservice"],
        "name": fields["name"],
        "config": fields["config"],
        "position": fields.get("position"),
        "parent_id": fields["parent_id"],
        "flow_step_route_id": fields.get("flow_step_route_id"),
        "is_enabled": fields.get("is_enabled", True),
        "variables": fields.get("variables") or {},
        "created_at": actor.at,
        "updated_at": actor.at,
    }
    return int(connection.execute(insert(tables.steps).values(row).returning(STEPS.id)).scalar_one())


def _move(connection: Connection, actor: Actor, followers: Sequence[graph.Step], parent_id: int) -> None:
    """Hang steps behind a new parent, on its first route if it has any."""
    first = select(ROUTES.id).where(ROUTES.flow_step_id == parent_id).order_by(ROUTES.position, ROUTES.id).limit(1)
    route_id = connection.scalar(first)
    for step in followers:
        _update_step(connection, actor, step.id, {"parent_id": parent_id, "flow_step_route_id": route_id})


def _update_step(connection: Connection, actor: Actor, id: int, fields: Mapping[str, Any]) -> None:
    connection.execute(update(tables.steps).where(STEPS.id == id).values({**fields, "updated_at": actor.at}))


def change_step(
    connection: Connection,
    actor: Actor,
    version_id: int,
    id: int,
    fields: Mapping[str, Any],
    if_match: str | None = None,
) -> dict[str, Any]:
    """Change what `fields` names of a step (see step_changes). Raises Missing, Invalid, Conflict."""
    row = versions.load(connection, actor, version_id)
    step = _step(definitions.load_graph(connection, version_id), id)
    changed, routes = dict(fields), None
    if "config" in changed:
        changed["config"], routes = split_routes(
            changed["config"], has_routes=registry.get(step.microservice).has_routes
        )
        require_config(connection, actor, step.microservice, changed["config"])
    _require_variables(changed.get("variables", {}))
    try:
        drawn = edit(connection, actor, version_id, if_match)
    except errors.VersionLocked as locked:
        raise errors.Invalid.field("flow_version", locked.message) from None
    _require_move(drawn, _step(drawn, id), changed)
    if changed:
        _update_step(connection, actor, id, changed)
    if routes is not None:
        _replace_routes(connection, actor, row.id, drawn, id, routes)
    if changed or routes is not None:
        return _saved_step(connection, actor, version_id, id)
    return step_view(step, version_id)


def _require_move(drawn: graph.Graph, step: graph.Step, changed: dict[str, Any]) -> None:
    """Check where a step is moved to; a move to another parent leaves the old route."""
    if "parent_id" not in changed and "flow_step_route_id" not in changed:
        return
    parent_id = changed.get("parent_id", step.parent_id)
    if step.microservice == graph.TRIGGER:
        if parent_id is not None or changed.get("flow_step_route_id") is not None:
            raise errors.Invalid.field("parent_id", "The trigger is the first step and follows nothing.")
        return
    if parent_id is None:
        raise errors.Invalid.field("parent_id", "Only the trigger follows nothing; name the step it follows.")
    if parent_id != step.parent_id:
        changed.setdefault("flow_step_route_id", None)
    drawn.require_place(parent_id, changed.get("flow_step_route_id", step.flow_step_route_id), moving=step.id)


def remove_step(
    connection: Connection, actor: Actor, version_id: int, id: int, if_match: str | None = None
) -> str:
    """Delete a step; what followed it follows its parent. Its name. Raises Missing, Invalid for the trigger."""
    step = _step(definitions.load_graph(connection, versions.load(connection, actor, version_id).id), id)
    if step.microservice == graph.TRIGGER:
        raise errors.Invalid.field("step", "The trigger cannot be deleted: every version begins with it.")
    drawn = edit(connection, actor, version_id, if_match)
    place = {"parent_id": step.parent_id, "flow_step_route_id": step.flow_step_route_id}
    for follower in drawn.children(id):
        _update_step(connection, actor, follower.id, place)
    connection.execute(delete(tables.routes).where(ROUTES.flow_step_id == id))
    connection.execute(delete(tables.steps).where(STEPS.id == id))
    versions.saved(connection, actor, version_id)
    return step.name


def routes_of(connection: Connection, actor: Actor, version_id: int, step_id: int) -> list[dict[str, Any]]:
    """The routes of a step, in order. Raises Missing."""
    versions.load(connection, actor, version_id)
    drawn = definitions.load_graph(connection, version_id)
    return [route_view(route) for route in drawn.routes_of(_step(drawn, step_id).id)]


def add_route(
    connection: Connection, actor: Actor, version_id: int, step_id: int, fields: Mapping[str, Any]
) -> dict[str, Any]:
    """Add a route to a step that has routes, last unless `position` says otherwise. Raises Missing, Invalid."""
    versions.load(connection, actor, version_id)
    drawn = definitions.load_graph(connection, version_id)
    step = _step(drawn, step_id)
    require_where(fields.get("where"))
    if not registry.get(step.microservice).has_routes:
        raise errors.Invalid.field("step", f"{graph.label(step)} is a {step.microservice}, which has no routes.")
    existing = edit(connection, actor, version_id, None).routes_of(step_id)
    if len(existing) >= MAX_ROUTES:
        raise errors.Invalid.field("routes", f"A step has at most {MAX_ROUTES} routes.")
    position = fields.get("position")
    last = max((route.position for route in existing), default=-1) + 1
    placed = {**fields, "position": last if position is None else position}
    route_id = _insert_route(connection, actor, version_id, step_id, placed)
    versions.saved(connection, actor, version_id)
    return route_view(definitions.load_graph(connection, version_id).routes[route_id])


def change_route(
    connection: Connection, actor: Actor, version_id: int, step_id: int, id: int, fields: Mapping[str, Any]
) -> dict[str, Any]:
    """Change name, position or condition of a route. Raises Missing, Invalid."""
    _route(connection, actor, version_id, step_id, id)
    require_where(fields.get("where"))
    edit(connection, actor, version_id, None)
    if fields:
        connection.execute(update(tables.routes).where(ROUTES.id == id).values({**fields, "updated_at": actor.at}))
        versions.saved(connection, actor, version_id)
    return route_view(definitions.load_graph(connection, version_id).routes[id])


def remove_route(connection: Connection, actor: Actor, version_id: int, step_id: int, id: int) -> str:
    """Delete a route; the steps on it stay, without a route until they are hung elsewhere. Its name."""
    route = _route(connection, actor, version_id, step_id, id)
    edit(connection, actor, version_id, None)
    _drop_route(connection, id)
    versions.saved(connection, actor, version_id)
    return route.name


def _drop_route(connection: Connection, id: int) -> None:
    connection.execute(
        update(tables.steps).where(STEPS.flow_step_route_id == id).values(flow_step_route_id=None)
    )
    connection.execute(delete(tables.routes).where(ROUTES.id == id))


def _insert_route(
    connection: Connection, actor: Actor, version_id: int, step_id: int, fields: Mapping[str, Any]
) -> int:
    row = {
        "flow_version_id": version_id,
        "flow_step_id": step_id,
        "key": f"route-{secrets.token_hex(4)}",
        "name": fields["name"],
        "position": fields["position"],
        "where": fields.get("where"),
        "created_at": actor.at,
        "updated_at": actor.at,
    }
    return int(connection.execute(insert(tables.routes).values(row).returning(ROUTES.id)).scalar_one())


def _replace_routes(
    connection: Connection,
    actor: Actor,
    version_id: int,
    drawn: graph.Graph,
    step_id: int,
    routes: Sequence[Mapping[str, Any]],
) -> None:
    """Make a step's routes these: same name, same route."""
    existing = {route.name: route for route in drawn.routes_of(step_id)}
    for number, fields in enumerate(routes):
        known = existing.pop(fields["name"], None)
        values = {"position": number, "where": fields.get("where"), "updated_at": actor.at}
        if known is None:
            _insert_route(connection, actor, version_id, step_id, {**fields, "position": number})
        else:
            connection.execute(update(tables.routes).where(ROUTES.id == known.id).values(values))
    for gone in existing.values():
        _drop_route(connection, gone.id)


def set_variables(
    connection: Connection, actor: Actor, version_id: int, variables: Mapping[str, Any], if_match: str | None
) -> dict[str, Any]:
    """Replace a Draft's variables. Raises Missing, Invalid, VersionLocked, Conflict."""
    versions.load(connection, actor, version_id)
    _require_variables(variables)
    edit(connection, actor, version_id, if_match)
    connection.execute(update(tables.versions).where(VERSIONS.id == version_id).values(variables=dict(variables)))
    versions.saved(connection, actor, version_id)
    return dict(variables)


def variables_of(connection: Connection, actor: Actor, version_id: int) -> dict[str, Any]:
    """A version's variables, by name. Raises Missing."""
    return dict(versions.load(connection, actor, version_id).variables)


def require_config(connection: Connection, actor: Actor, microservice: str, config: Mapping[str, Any]) -> None:
    """Raise Invalid for a config that can never be right; what is only missing yet may be saved."""
    registry.check(registry.get(microservice), dict(config))
    asked = config.get("connection_id")
    if asked is not None:
        columns = tables.connections.c
        owned = select(columns.id).where(columns.id == asked, columns.company_id == actor.company_id)
        if connection.scalar(owned) is None:
            raise errors.Invalid.field("config.connection_id", f"Connection {asked} was not found.")


def require_where(where: object) -> None:
    """Raise Invalid for a condition that cannot be compiled."""
    if where is not None:
        conditions.compile(where)


def split_routes(
    config: Mapping[str, Any], *, has_routes: bool
) -> tuple[dict[str, Any], list[dict[str, Any]] | None]:
    """A config and the routes it brings, if any. Raises Invalid."""
    if not has_routes or "routes" not in config:
        return dict(config), None
    routes = config["routes"]
    if not isinstance(routes, list) or len(routes) > MAX_ROUTES:
        raise errors.Invalid.field("config.routes", f"routes is a list of up to {MAX_ROUTES} {{name, where?}}.")
    for number, route in enumerate(routes):
        _require_route_fields(f"config.routes.{number}", route)
    names = [route["name"] for route in routes]
    if len(set(names)) != len(names):
        raise errors.Invalid.field("config.routes", "Two routes have the same name; give each its own.")
    return {name: value for name, value in config.items() if name != "routes"}, routes


def _require_route_fields(place: str, route: object) -> None:
    if not isinstance(route, dict) or route.keys() - {"name", "where"}:
        raise errors.Invalid.field(place, "A route is {name, where?}.")
    name = route.get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= 255:
        raise errors.Invalid.field(f"{place}.name", "A route has a name of 1 to 255 characters.")
    require_where(route.get("where"))


def _require_variables(variables: Mapping[str, Any]) -> None:
    for name in variables:
        if not templates.is_variable_name(name):
            raise errors.Invalid.field(
                f"variables.{name[:50]}", "A variable's name has letters, digits, '_', '-' and '.' only."
            )


def _step(drawn: graph.Graph, id: int) -> graph.Step:
    if id not in drawn.steps:
        raise errors.Missing("Step", id)
    return drawn.steps[id]


def _route(connection: Connection, actor: Actor, version_id: int, step_id: int, id: int) -> graph.Route:
    versions.load(connection, actor, version_id)
    route = definitions.load_graph(connection, version_id).routes.get(id)
    if route is None or route.flow_step_id != step_id:
        raise errors.Missing("Route", id)
    return route


def _saved_step(connection: Connection, actor: Actor, version_id: int, id: int) -> dict[str, Any]:
    versions.saved(connection, actor, version_id)
    return step_view(definitions.load_graph(connection, version_id).steps[id], version_id)


def step_view(step: graph.Step, version_id: int) -> dict[str, Any]:
    """A step as the API shows it, with what deploying would refuse of it as `problems`."""
    return views.present(
        {
            "id": step.id,
            "key": step.key,
            "flow_version_id": version_id,
            "microservice": step.microservice,
            "name": step.name,
            "config": step.config,
            "position": step.position,
            "parent_id": step.parent_id,
            "flow_step_route_id": step.flow_step_route_id,
            "is_enabled": step.is_enabled,
            "variables": step.variables,
            "problems": problems(step) or None,
        }
    )


def problems(step: graph.Step) -> dict[str, list[str]]:
    """What is missing or wrong in a step's config, by field."""
    try:
        return registry.check(registry.get(step.microservice), step.config)[1]
    except errors.Invalid as invalid:
        return invalid.errors


def route_view(route: graph.Route) -> dict[str, Any]:
    """A route as the API shows it."""
    return views.present(
        {
            "id": route.id,
            "key": route.key,
            "flow_step_id": route.flow_step_id,
            "name": route.name,
            "position": route.position,
            "where": route.where,
        }
    )


def filters(drawn: graph.Graph) -> list[dict[str, Any]]:
    """The conditions of a version: those of its filter steps and those of its routes."""
    of_steps = [
        {"flow_step_id": step.id, "name": step.name, "where": step.config["where"]}
        for step in drawn.ordered()
        if step.microservice == "filter" and "where" in step.config
    ]
    of_routes = [
        {"flow_step_id": route.flow_step_id, "flow_step_route_id": route.id, "name": route.name, "where": route.where}
        for route in drawn.routes.values()
        if route.where is not None
    ]
    return of_steps + of_routes

