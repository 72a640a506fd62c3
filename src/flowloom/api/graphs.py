"""The graph of a version over HTTP: operation 13 of the contract, the rest of step editing, routes, variables."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from flowloom import errors
from flowloom.api import bodies, envelope, schemas, schemas_graphs
from flowloom.api.call import Call
from flowloom.api.routes import Routes
from flowloom.domain import graph
from flowloom.services import graphs, step_routes, trials
from flowloom.services.actor import Role
from flowloom.steps import aside, registry

routes = Routes("Graph")
STEP, ROUTE = schemas.One[schemas.Step], schemas.One[schemas.Route]
GRAPH = "/flow-versions/{flow_version}/graph"


@routes.get("/step-types", role=Role.READ_ONLY, answer=schemas.Many[schemas_graphs.StepType])
async def list_step_types(call: Call) -> Response:
    """List the step types with the JSON Schema of each config."""
    return envelope.data(registry.describe())


@routes.get(GRAPH, role=Role.READ_ONLY, answer=schemas.One[schemas_graphs.Graph])
async def get_graph(call: Call) -> Response:
    """Get the graph of a version; its ETag names the saved state."""
    content, etag = await call.read(graphs.read, call.id("flow_version"))
    return envelope.data(content, {"ETag": etag})


@routes.post(f"{GRAPH}/steps", role=Role.MANAGER, body=schemas_graphs.StepCreate, answer=STEP)
async def create_step(call: Call) -> Response:
    """Put a step after its parent, before what followed it or beside that."""
    fields = await call.made(lambda sent: bodies.model(schemas_graphs.StepCreate, sent).model_dump())
    version = call.id("flow_version")
    judged = await call.read(graphs.judge_new, version, fields)
    return await _step(await call.edit(graphs.put_step, version, judged, call.if_match), version)


@routes.patch(
    f"{GRAPH}/steps/{{step}}",
    role=Role.MANAGER,
    body=schemas_graphs.StepUpdate,
    needs_body=False,
    answer=STEP,
)
async def update_step(call: Call) -> Response:
    """Change a step of a Draft; read-only keys are ignored, any other key is refused."""
    fields = await call.made(step_changes)
    version, step = call.id("flow_version"), call.id("step")
    judged = await call.read(graphs.judge_change, version, step, fields)
    return await _step(await call.edit(graphs.change_step, version, step, judged, call.if_match), version)


@routes.delete(f"{GRAPH}/steps/{{step}}", role=Role.MANAGER, answer=schemas.Message)
async def delete_step(call: Call) -> Response:
    """Delete a step; what followed it follows its parent."""
    version, step = call.id("flow_version"), call.id("step")
    name, etag = await call.edit(graphs.remove_step, version, step, call.if_match)
    return envelope.answer({"message": f'Step "{name}" deleted.'}, headers=etag)


@routes.post(
    f"{GRAPH}/steps/{{step}}/try",
    role=Role.USER,
    body=schemas_graphs.StepTry,
    answer=schemas.One[schemas_graphs.Tried],
)
async def try_step(call: Call) -> Response:
    """Try a step without effects on a payload

    It works as in a run, on the version's variables; nothing is written or sent, and no run is made.
    """
    fields = await call.made(lambda sent: bodies.model(schemas_graphs.StepTry, sent).model_dump())
    trial = await call.read(trials.prepare, call.id("flow_version"), call.id("step"), fields)
    tried = await call.doors.trials.run(trial)
    return envelope.data(await aside.run(trial.payload.size_bytes, trials.view, trial, tried))


@routes.get(f"{GRAPH}/steps/{{step}}/routes", role=Role.READ_ONLY, answer=schemas.Many[schemas.Route])
async def list_routes(call: Call) -> Response:
    """List the routes of a step."""
    return envelope.data(await call.read(step_routes.of_step, call.id("flow_version"), call.id("step")))


@routes.post(
    f"{GRAPH}/steps/{{step}}/routes", role=Role.MANAGER, body=schemas_graphs.RouteCreate, answer=ROUTE
)
async def create_route(call: Call) -> Response:
    """Add a route to a step."""
    fields = await call.made(lambda sent: bodies.model(schemas_graphs.RouteCreate, sent).model_dump())
    version, step = call.id("flow_version"), call.id("step")
    await call.read(step_routes.judge, version, step, fields)
    return envelope.data(*await call.edit(step_routes.add, version, step, fields, call.if_match))


@routes.put(
    f"{GRAPH}/steps/{{step}}/routes/{{route}}",
    role=Role.MANAGER,
    body=schemas_graphs.RouteFields,
    answer=ROUTE,
)
async def update_route(call: Call) -> Response:
    """Change a route; `where: null` takes everything, what is left out stays."""
    fields = await call.made(_route_changes)
    version, step, route = call.id("flow_version"), call.id("step"), call.id("route")
    await call.read(step_routes.judge, version, step, fields, route)
    return envelope.data(*await call.edit(step_routes.change, version, step, route, fields, call.if_match))


@routes.delete(f"{GRAPH}/steps/{{step}}/routes/{{route}}", role=Role.MANAGER, answer=schemas.Message)
async def delete_route(call: Call) -> Response:
    """Delete a route; the steps on it stay until they are hung elsewhere."""
    version, step = call.id("flow_version"), call.id("step")
    name, etag = await call.edit(step_routes.remove, version, step, call.id("route"), call.if_match)
    return envelope.answer({"message": f'Route "{name}" deleted.'}, headers=etag)


@routes.get(
    "/flow-versions/{flow_version}/variables", role=Role.READ_ONLY, answer=schemas_graphs.VariablesAnswer
)
async def get_variables(call: Call) -> Response:
    """Get the variables of a version

    Of its secrets only the names.
    """
    return _variables(await call.read(graphs.variables_of, call.id("flow_version")))


@routes.put(
    "/flow-versions/{flow_version}/variables",
    role=Role.MANAGER,
    body=schemas_graphs.Variables,
    answer=schemas_graphs.VariablesAnswer,
)
async def update_variables(call: Call) -> Response:
    """Replace the variables of a Draft

    `secrets` are write-only: left out they stay as they are; given they replace the set, null keeping one's value.
    """
    body = await call.body(schemas_graphs.Variables)
    version, vault = call.id("flow_version"), call.platform.vault
    await call.read(graphs.judge_variables, version, body.variables, body.secrets)
    return _variables(
        *await call.edit(graphs.set_variables, version, vault, body.variables, body.secrets, call.if_match)
    )


def _variables(found: graphs.Variables, headers: dict[str, str] | None = None) -> Response:
    return envelope.answer({"data": found.values, "secrets": found.secrets}, headers=headers)


def step_changes(sent: dict[str, Any]) -> dict[str, Any]:
    """What a PATCH may change of a step. Raises Invalid for unknown keys, wrong types and nulls."""
    changed = {name: value for name, value in sent.items() if name not in schemas_graphs.StepUpdate.READ_ONLY}
    for name in changed.keys() - schemas_graphs.StepUpdate.model_fields.keys():
        allowed = ", ".join(schemas_graphs.StepUpdate.model_fields)
        raise errors.Invalid.field(name[:100], f"'{name[:100]}' is no field of a step; allowed: {allowed}.")
    for name, value in changed.items():
        if value is None and name not in schemas_graphs.StepUpdate.NULLABLE:
            raise errors.Invalid.field(name, f"{name} cannot be null; leave it out to keep it.")
    body = bodies.model(schemas_graphs.StepUpdate, changed)
    return body.model_dump(include=set(changed))


def _route_changes(sent: dict[str, Any]) -> dict[str, Any]:
    given = bodies.model(schemas_graphs.RouteFields, sent).model_dump(exclude_unset=True)
    return {name: value for name, value in given.items() if name == "where" or value is not None}


async def _step(edited: tuple[graph.Step, dict[str, str]], version_id: int) -> Response:
    step, etag = edited
    view = await aside.run(aside.about_bytes(step.config), graphs.step_view, step, version_id)
    return envelope.data(view, etag)
