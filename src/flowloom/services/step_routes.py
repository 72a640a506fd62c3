"""The routes of a step: rows of their own, edited one at a time or brought by the step's config."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update

from flowloom import errors
from flowloom.domain import conditions, graph
from flowloom.services import owned, views
from flowloom.services.actor import Actor
from flowloom.steps import contract, registry
from flowloom.store import definitions, tables

STEPS, ROUTES = tables.steps.c, tables.routes.c
MAX_ROUTES: Final = 100


def of_step(connection: Connection, actor: Actor, version_id: int, step_id: int) -> list[dict[str, Any]]:
    """The routes of a step, in order. Raises Missing."""
    drawn = _load(connection, actor, version_id)
    return [view(route) for route in drawn.routes_of(drawn.require_step(step_id).id)]


def judge(
    connection: Connection,
    actor: Actor,
    version_id: int,
    step_id: int,
    fields: Mapping[str, Any],
    id: int | None = None,
) -> None:
    """Judge the fields of a step's route, or of a new one, before the write. Raises Missing, Invalid."""
    drawn = _load(connection, actor, version_id)
    if id is None:
        _require_has_routes(drawn.require_step(step_id))
    else:
        _require_route(drawn, step_id, id)
    registry.require_bounded(fields.get("where"), "where")
    require_where(fields.get("where"))
    _refuse_fixed(drawn, step_id)
    _require_fitting(drawn, step_id, fields, id)


def add(
    connection: Connection,
    actor: Actor,
    version_id: int,
    step_id: int,
    fields: Mapping[str, Any],
    if_match: str | None = None,
) -> dict[str, Any]:
    """Add a route to a step that has routes, last unless `position` says otherwise. Raises Missing, Invalid."""
    _require_has_routes(_load(connection, actor, version_id).require_step(step_id))
    drawn = owned.edit_draft(connection, actor, version_id, if_match)
    _refuse_fixed(drawn, step_id)
    _require_fitting(drawn, drawn.require_step(step_id).id, fields)
    position = fields.get("position")
    last = max((route.position for route in drawn.routes_of(step_id)), default=-1) + 1
    placed = {**fields, "position": last if position is None else position}
    id = insert_route(connection, actor, version_id, step_id, placed)
    owned.note_save(connection, actor, version_id)
    return view(definitions.load_graph(connection, version_id).routes[id])


def change(
    connection: Connection,
    actor: Actor,
    version_id: int,
    step_id: int,
    id: int,
    fields: Mapping[str, Any],
    if_match: str | None = None,
) -> dict[str, Any]:
    """Change name, position or condition of a route. Raises Missing, Invalid, VersionLocked."""
    _load(connection, actor, version_id)
    drawn = owned.edit_draft(connection, actor, version_id, if_match)
    _require_route(drawn, step_id, id)
    _refuse_fixed(drawn, step_id)
    _require_fitting(drawn, step_id, fields, id)
    if fields:
        changed = update(tables.routes).where(ROUTES.id == id)
        connection.execute(changed.values({**fields, "updated_at": actor.at}))
        owned.note_save(connection, actor, version_id)
    return view(definitions.load_graph(connection, version_id).routes[id])


def _require_has_routes(step: graph.Step) -> None:
    if not registry.get(step.microservice).has_routes:
        raise errors.Invalid.field(
            "step", f"{graph.label(step)} is a {step.microservice}, which has no routes."
        )


def _require_fitting(
    drawn: graph.Graph, step_id: int, fields: Mapping[str, Any], id: int | None = None
) -> None:
    """Raise Invalid for a name that another route of the step has, or for a new route of a step with no room."""
    others, name = [route for route in drawn.routes_of(step_id) if route.id != id], fields.get("name")
    if any(route.name == name for route in others):
        raise errors.Invalid.field(
            "name", f"Another route of this step is called '{name}'; give each its own name."
        )
    if id is None and len(others) >= MAX_ROUTES:
        raise errors.Invalid.field("routes", f"A step has at most {MAX_ROUTES} routes.")


def remove(
    connection: Connection, actor: Actor, version_id: int, step_id: int, id: int, if_match: str | None = None
) -> str:
    """Delete a route; the steps on it stay, without a route until they are hung elsewhere. Its name."""
    _require_route(_load(connection, actor, version_id), step_id, id)
    drawn = owned.edit_draft(connection, actor, version_id, if_match)
    route = _require_route(drawn, step_id, id)
    _refuse_fixed(drawn, step_id)
    _drop(connection, id)
    owned.note_save(connection, actor, version_id)
    return route.name


def _load(connection: Connection, actor: Actor, version_id: int) -> graph.Graph:
    owned.load_version(connection, actor, version_id)
    return definitions.load_graph(connection, version_id)


def _require_route(drawn: graph.Graph, step_id: int, id: int) -> graph.Route:
    route = drawn.routes.get(id)
    if route is None or route.flow_step_id != step_id:
        raise errors.Missing("Route", id)
    return route


def first_of(connection: Connection, step_id: int) -> int | None:
    """The id of a step's first route."""
    first = select(ROUTES.id).where(ROUTES.flow_step_id == step_id).order_by(ROUTES.position, ROUTES.id)
    return connection.scalar(first.limit(1))


def insert_route(
    connection: Connection, actor: Actor, version_id: int, step_id: int, fields: Mapping[str, Any]
) -> int:
    """A new row of {name, position, where?}; its id."""
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


def replace(
    connection: Connection,
    actor: Actor,
    version_id: int,
    step_id: int,
    existing: Sequence[graph.Route],
    wanted: Sequence[Mapping[str, Any]],
) -> None:
    """Make a step's routes the wanted {name, where?}: same name, same route."""
    by_name = {route.name: route for route in existing}
    for number, fields in enumerate(wanted):
        route = by_name.get(fields["name"])
        if route is None:
            insert_route(connection, actor, version_id, step_id, {**fields, "position": number})
        else:
            values = {"position": number, "where": fields.get("where"), "updated_at": actor.at}
            connection.execute(update(tables.routes).where(ROUTES.id == route.id).values(values))
    kept = {by_name[fields["name"]].id for fields in wanted if fields["name"] in by_name}
    for gone in {route.id for route in existing} - kept:
        _drop(connection, gone)


def _drop(connection: Connection, id: int) -> None:
    loose = update(tables.steps).where(STEPS.flow_step_route_id == id)
    connection.execute(loose.values(flow_step_route_id=None))
    connection.execute(delete(tables.routes).where(ROUTES.id == id))


def split(
    config: Mapping[str, Any], step_type: contract.StepType
) -> tuple[dict[str, Any], list[dict[str, Any]] | None]:
    """A config and the routes it brings, if any. Raises Invalid."""
    if not step_type.has_routes or "routes" not in config:
        return dict(config), None
    routes = config["routes"]
    if not isinstance(routes, list) or len(routes) > MAX_ROUTES:
        raise errors.Invalid.field(
            "config.routes", f"routes is a list of up to {MAX_ROUTES} {{name, where?}}."
        )
    routes = [_fields(f"config.routes.{number}", route) for number, route in enumerate(routes)]
    names = [route["name"] for route in routes]
    if len(set(names)) != len(names):
        raise errors.Invalid.field("config.routes", "Two routes have the same name; give each its own.")
    _require_fixed(names, step_type)
    return {name: value for name, value in config.items() if name != "routes"}, routes


def of_new(step_type: contract.StepType) -> list[dict[str, Any]]:
    """The routes that a new step has from the start."""
    return [{"name": name} for name in step_type.fixed_routes]


def _require_fixed(names: Sequence[str], step_type: contract.StepType) -> None:
    """Raise Invalid unless these are the routes that a step of this type has to have, where it does."""
    fixed = step_type.fixed_routes
    if fixed and tuple(names) != tuple(fixed):
        raise errors.Invalid.field(
            "config.routes",
            f"A {step_type.microservice} has the routes {' and '.join(fixed)}, in this order.",
        )


def _refuse_fixed(drawn: graph.Graph, step_id: int) -> None:
    """Raise Invalid for a step whose routes come with it and stay."""
    step = drawn.require_step(step_id)
    fixed = registry.get(step.microservice).fixed_routes
    if fixed:
        raise errors.Invalid.field(
            "step",
            f"{graph.label(step)} has the routes {' and '.join(fixed)} from the start; hang steps on these.",
        )


def _fields(place: str, route: object) -> dict[str, Any]:
    """The fields of a route, its name without white space around it. Raises Invalid."""
    if not isinstance(route, dict) or route.keys() - {"name", "where"}:
        raise errors.Invalid.field(place, "A route is {name, where?}.")
    name = route.get("name")
    name = name.strip() if isinstance(name, str) else ""
    if not 1 <= len(name) <= 255:
        raise errors.Invalid.field(
            f"{place}.name", "A route has a name of 1 to 255 characters, not only white space."
        )
    require_where(route.get("where"), f"{place}.where")
    return {**route, "name": name}


def require_where(where: object, place: str = "where") -> None:
    """Raise Invalid on `place` for a condition that cannot be compiled."""
    if where is not None:
        conditions.compile(where, place)


def view(route: graph.Route) -> dict[str, Any]:
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
