"""The graph of a version: reading it, and editing a Draft's steps and variables one at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update

from flowloom import errors
from flowloom.domain import graph, templates
from flowloom.services import endpoints, owned, secret_variables, step_routes, views
from flowloom.services.actor import Actor
from flowloom.steps import contract, registry
from flowloom.store import definitions, query, tables
from flowloom.store.secret_variables import FLOW
from flowloom.store.secrets import Vault

STEPS, ROUTES, VERSIONS = tables.steps.c, tables.routes.c, tables.versions.c
MAX_STEPS: Final = 1000
# What configs name by id, by field.
_NAMED: Final = {
    "connection_id": ("Connection", tables.connections),
    "flow_id": ("Flow", tables.flows),
    "group_id": ("Notification group", tables.notification_groups),
}


@dataclass(frozen=True, slots=True)
class Judged:
    """What a step gets, and the routes that its config brought, if any: all is checked that can be without the lock.

    Judging a large config takes long, and on SQLite every write would wait for it: it is done before the write.
    """

    fields: Mapping[str, Any]
    routes: Sequence[Mapping[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Variables:
    """The variables of a version by name, and the names of its secrets."""

    values: dict[str, Any]
    secrets: list[str]


def of_versions(connection: Connection, version_ids: Sequence[int]) -> dict[int, graph.Graph]:
    """The graphs of these versions, by version."""
    return {id: definitions.load_graph(connection, id) for id in version_ids}


def read(connection: Connection, actor: Actor, version_id: int) -> tuple[dict[str, Any], str]:
    """The graph of a version with the version itself, and the ETag of its saved state. Raises Missing."""
    row = owned.load_version(connection, actor, version_id)
    drawn = definitions.load_graph(connection, version_id)
    content = {
        "steps": [step_view(step, version_id) for step in drawn.ordered()],
        "routes": [step_routes.view(route) for route in drawn.routes.values()],
        "version": owned.version_view(row),
    }
    return content, owned.etag(row)


def judge_new(connection: Connection, actor: Actor, version_id: int, fields: Mapping[str, Any]) -> Judged:
    """A new step, to be put. Raises Missing for the version, Invalid.

    `fields` is {microservice, parent_id, name?, config?, flow_step_route_id?, position?, is_enabled?, variables?,
    beside?}; the config of a step with routes may bring `routes: [{name, where?}]`, which become rows of their own.
    """
    owned.load_version(connection, actor, version_id)
    step_type = registry.get(fields["microservice"])
    given = {
        **fields,
        "config": fields.get("config") or {},
        "name": fields.get("name") or step_type.title,
        "variables": fields.get("variables") or {},
    }
    judged = _judged(step_type, endpoints.filled(connection, actor, step_type, given))
    _require_place(definitions.load_graph(connection, version_id), given)
    return judged if judged.routes is not None else replace(judged, routes=step_routes.of_new(step_type))


def judge_change(
    connection: Connection, actor: Actor, version_id: int, id: int, fields: Mapping[str, Any]
) -> Judged:
    """A change of what `fields` names of a step. Raises Missing, Invalid."""
    owned.load_version(connection, actor, version_id)
    step = definitions.load_graph(connection, version_id).require_step(id)
    step_type = registry.get(step.microservice)
    return _judged(step_type, endpoints.filled(connection, actor, step_type, fields, step.config))


def _judged(step_type: contract.StepType, fields: Mapping[str, Any]) -> Judged:
    """Raises Invalid for what can never be right; what is only missing yet may be saved."""
    judged = Judged(fields)
    if "config" in fields:
        registry.require_bounded(fields["config"])
        config, routes = step_routes.split(fields["config"], step_type)
        registry.check(step_type, config)
        judged = Judged({**fields, "config": config}, routes)
    require_variables(fields.get("variables", {}))
    templates.compile_tree(fields.get("variables", {}), "variables")
    return judged


def add_step(
    connection: Connection, actor: Actor, version_id: int, fields: Mapping[str, Any]
) -> dict[str, Any]:
    """Judge and put a step in the same transaction, for whoever makes a flow at once."""
    judged = judge_new(connection, actor, version_id, fields)
    return step_view(put_step(connection, actor, version_id, judged), version_id)


def put_step(
    connection: Connection, actor: Actor, version_id: int, judged: Judged, if_match: str | None = None
) -> graph.Step:
    """Put a step after its parent, before what followed it there or beside that.

    Raises Missing, Invalid, VersionLocked, Conflict.
    """
    fields = judged.fields
    owned.load_version(connection, actor, version_id)
    _require_own(connection, actor, fields["config"])
    drawn = owned.edit_draft(connection, actor, version_id, if_match)
    _require_place(drawn, fields)
    _require_key(drawn, fields)
    step_id = _insert_step(connection, actor, version_id, fields)
    for number, route in enumerate(judged.routes or ()):
        step_routes.insert_route(connection, actor, version_id, step_id, {**route, "position": number})
    if not fields.get("beside"):
        there = drawn.followers_at(fields["parent_id"], fields.get("flow_step_route_id"))
        _move(connection, actor, there, step_id)
    return _saved_step(connection, actor, version_id, step_id)


def _require_place(drawn: graph.Graph, fields: Mapping[str, Any]) -> None:
    """Raise Invalid unless the version has room for a new step where it is to hang."""
    if fields["microservice"] == graph.TRIGGER:
        raise errors.Invalid.field("microservice", "A version has one trigger, and this one has it already.")
    if len(drawn.steps) >= MAX_STEPS:
        raise errors.Invalid.field("steps", f"A version has at most {MAX_STEPS} steps.")
    drawn.require_place(fields["parent_id"], fields.get("flow_step_route_id"))


def _require_key(drawn: graph.Graph, fields: Mapping[str, Any]) -> None:
    """Raise Invalid for a key that is of another type, or of a step that is there."""
    key = fields.get("key")
    if key is None:
        return
    if key.rpartition("-")[0] != fields["microservice"]:
        raise errors.Invalid.field("key", f"The key of this step begins with {fields['microservice']}-.")
    if any(step.key == key for step in drawn.steps.values()):
        raise errors.Invalid.field("key", f"Step {key} is there; leave the key out for a new step.")


def _insert_step(connection: Connection, actor: Actor, version_id: int, fields: Mapping[str, Any]) -> int:
    row = {
        "flow_version_id": version_id,
        "key": fields.get("key") or f"{fields['microservice']}-{token_hex(4)}",
        "microservice": fields["microservice"],
        "name": fields["name"],
        "config": fields["config"],
        "position": fields.get("position"),
        "parent_id": fields["parent_id"],
        "flow_step_route_id": fields.get("flow_step_route_id"),
        "is_enabled": fields.get("is_enabled", True),
        "variables": fields["variables"],
        "created_at": actor.at,
        "updated_at": actor.at,
    }
    return int(connection.execute(insert(tables.steps).values(row).returning(STEPS.id)).scalar_one())


def _move(connection: Connection, actor: Actor, followers: Sequence[graph.Step], parent_id: int) -> None:
    """Hang steps behind a new parent, on its first route if it has any."""
    route_id = step_routes.first_of(connection, parent_id)
    for step in followers:
        _update_step(connection, actor, step.id, {"parent_id": parent_id, "flow_step_route_id": route_id})


def _update_step(connection: Connection, actor: Actor, id: int, fields: Mapping[str, Any]) -> None:
    connection.execute(update(tables.steps).where(STEPS.id == id).values({**fields, "updated_at": actor.at}))


def change_step(
    connection: Connection,
    actor: Actor,
    version_id: int,
    id: int,
    judged: Judged,
    if_match: str | None = None,
) -> graph.Step:
    """Change what was judged of a step. Raises Missing, Invalid, Conflict."""
    owned.load_version(connection, actor, version_id)
    changed, routes = dict(judged.fields), judged.routes
    _require_own(connection, actor, changed.get("config", {}))
    try:
        drawn = owned.edit_draft(connection, actor, version_id, if_match)
    except errors.VersionLocked as locked:
        raise errors.Invalid.field("flow_version", locked.message) from None
    step = drawn.require_step(id)
    _require_move(drawn, step, changed)
    if changed:
        _update_step(connection, actor, id, changed)
    if routes is not None:
        step_routes.replace(connection, actor, version_id, id, drawn.routes_of(id), routes)
    if changed or routes is not None:
        return _saved_step(connection, actor, version_id, id)
    return step


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
    owned.load_version(connection, actor, version_id)
    step = definitions.load_graph(connection, version_id).require_step(id)
    if step.microservice == graph.TRIGGER:
        raise errors.Invalid.field("step", "The trigger cannot be deleted: every version begins with it.")
    drawn = owned.edit_draft(connection, actor, version_id, if_match)
    step = drawn.require_step(id)
    place = {"parent_id": step.parent_id, "flow_step_route_id": step.flow_step_route_id}
    for follower in drawn.children(id):
        _update_step(connection, actor, follower.id, place)
    connection.execute(delete(tables.routes).where(ROUTES.flow_step_id == id))
    connection.execute(delete(tables.steps).where(STEPS.id == id))
    owned.note_save(connection, actor, version_id)
    return step.name


def judge_variables(
    connection: Connection,
    actor: Actor,
    version_id: int,
    variables: Mapping[str, Any],
    secrets: secret_variables.Given | None,
) -> None:
    """Raises Missing for the version, Invalid for variables and secrets that it cannot have."""
    owned.load_version(connection, actor, version_id)
    require_variables(variables)
    secret_variables.judge(secrets or {})


def set_variables(
    connection: Connection,
    actor: Actor,
    version_id: int,
    vault: Vault,
    variables: Mapping[str, Any],
    secrets: secret_variables.Given | None,
    if_match: str | None,
) -> Variables:
    """Replace a Draft's variables by judged ones, and its secrets unless they are None.

    Raises Missing, VersionLocked, Conflict, and Invalid for a name that is both, or a secret that is not there to keep.
    """
    owned.edit_draft(connection, actor, version_id, if_match)
    kept = owned.load_version(connection, actor, version_id).secrets
    after = secret_variables.merged(vault, FLOW, actor.company_id, kept, secrets)
    secret_variables.require_apart(after, variables)
    changed = update(tables.versions).where(VERSIONS.id == version_id)
    connection.execute(changed.values(variables=dict(variables), secrets=after))
    owned.note_save(connection, actor, version_id)
    return Variables(dict(variables), sorted(after))


def variables_of(connection: Connection, actor: Actor, version_id: int) -> Variables:
    """A version's variables. Raises Missing."""
    row = owned.load_version(connection, actor, version_id)
    return Variables(dict(row.variables), sorted(row.secrets))


def _require_own(connection: Connection, actor: Actor, config: Mapping[str, Any]) -> None:
    """Raise Invalid for a config that names a record which is not the company's."""
    for name, (noun, table) in _NAMED.items():
        asked = config.get(name)
        if asked is None:
            continue
        own = select(table.c.id).where(table.c.id == asked, table.c.company_id == actor.company_id)
        if not 0 < asked <= query.MAX_ID or connection.scalar(own) is None:
            raise errors.Invalid.field(f"config.{name}", f"{noun} {asked} was not found.")


def require_variables(variables: Mapping[str, Any], place: str = "variables") -> None:
    """Raise Invalid below `place` for variables that no version, step or run can have."""
    registry.require_bounded(variables, place)
    for name in variables:
        if not templates.is_variable_name(name):
            raise errors.Invalid.field(
                f"{place}.{name[:50]}", "A variable's name has letters, digits, '_', '-' and '.' only."
            )


def _saved_step(connection: Connection, actor: Actor, version_id: int, id: int) -> graph.Step:
    owned.note_save(connection, actor, version_id)
    return definitions.load_graph(connection, version_id).steps[id]


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


def filters(drawn: graph.Graph) -> list[dict[str, Any]]:
    """The conditions of a version: those of its filter steps and those of its routes."""
    of_steps = [
        {"flow_step_id": step.id, "name": step.name, "where": step.config["where"]}
        for step in drawn.ordered()
        if step.microservice == "filter" and "where" in step.config
    ]
    of_routes = [
        {
            "flow_step_id": route.flow_step_id,
            "flow_step_route_id": route.id,
            "name": route.name,
            "where": route.where,
        }
        for route in drawn.routes.values()
        if route.where is not None
    ]
    return of_steps + of_routes
