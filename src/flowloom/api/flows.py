"""Flows over HTTP."""

from __future__ import annotations

from starlette.responses import Response

from flowloom.api import envelope, schemas
from flowloom.api.call import Call
from flowloom.api.routes import Routes, include_parameter
from flowloom.services import flows
from flowloom.services.actor import Role

routes = Routes("Flows")


@routes.get("/flows", role=Role.READ_ONLY, listing=flows.LISTING, answer=schemas.Page[schemas.Flow])
async def list_flows(call: Call) -> Response:
    """List flows."""
    asked = call.asked(flows.LISTING)
    return call.page(asked, await call.read(flows.page, asked))


@routes.post("/flows", role=Role.MANAGER, body=schemas.FlowCreate, answer=schemas.One[schemas.Flow])
async def create_flow(call: Call) -> Response:
    """Create a flow with its first Draft."""
    body = await call.body(schemas.FlowCreate)
    return envelope.data(await call.write(flows.create, body.model_dump()))


@routes.get(
    "/flows/{flow}",
    role=Role.READ_ONLY,
    parameters=[include_parameter(flows.LISTING)],
    answer=schemas.One[schemas.Flow],
)
async def get_flow(call: Call) -> Response:
    """Get a flow."""
    includes = call.includes(flows.LISTING)
    return envelope.data(await call.read(flows.get, call.id("flow"), includes))


@routes.put("/flows/{flow}", role=Role.MANAGER, body=schemas.FlowUpdate, answer=schemas.One[schemas.Flow])
async def update_flow(call: Call) -> Response:
    """Change a flow; what is left out stays."""
    body = await call.body(schemas.FlowUpdate)
    # What is inside of a field that was sent is whole, with its defaults.
    given = {name: value for name, value in body.model_dump().items() if name in body.model_fields_set}
    fields = {name: value for name, value in given.items() if value is not None or name in flows.CLEARABLE}
    return envelope.data(await call.write(flows.change, call.id("flow"), fields))


@routes.delete("/flows/{flow}", role=Role.MANAGER, answer=schemas.Message)
async def delete_flow(call: Call) -> Response:
    """Delete a flow with its versions; its runs stay readable."""
    await call.write(flows.remove, call.id("flow"))
    return envelope.message("Flow deleted.")
