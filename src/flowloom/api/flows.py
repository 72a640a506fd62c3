"""Flows over HTTP."""

from __future__ import annotations

from starlette.responses import Response

from flowloom.api import envelope, schemas, schemas_flows
from flowloom.api.call import Call
from flowloom.api.routes import Routes, include_parameter
from flowloom.services import documents, exchange, flows
from flowloom.services.actor import Role

routes = Routes("Flows")


@routes.get("/flows", role=Role.READ_ONLY, listing=flows.LISTING, answer=schemas.Page[schemas.Flow])
async def list_flows(call: Call) -> Response:
    """List flows."""
    asked = call.asked(flows.LISTING)
    return call.page(asked, await call.read(flows.page, asked))


@routes.post("/flows", role=Role.MANAGER, body=schemas_flows.FlowCreate, answer=schemas.One[schemas.Flow])
async def create_flow(call: Call) -> Response:
    """Create a flow with its first Draft."""
    body = await call.body(schemas_flows.FlowCreate)
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


@routes.put(
    "/flows/{flow}", role=Role.MANAGER, body=schemas_flows.FlowUpdate, answer=schemas.One[schemas.Flow]
)
async def update_flow(call: Call) -> Response:
    """Change a flow; what is left out stays."""
    body = await call.body(schemas_flows.FlowUpdate)
    # What is inside of a field that was sent is whole, with its defaults.
    given = {name: value for name, value in body.model_dump().items() if name in body.model_fields_set}
    fields = {name: value for name, value in given.items() if value is not None or name in flows.CLEARABLE}
    return envelope.data(await call.write(flows.change, call.id("flow"), fields))


@routes.delete("/flows/{flow}", role=Role.MANAGER, answer=schemas.Message)
async def delete_flow(call: Call) -> Response:
    """Delete a flow with its versions; its runs stay readable."""
    await call.write(flows.remove, call.id("flow"))
    return envelope.message("Flow deleted.")


@routes.get("/flows/{flow}/export", role=Role.READ_ONLY, answer=schemas_flows.FlowDocument)
async def export_flow(call: Call) -> Response:
    """Download the Deployed version of a flow, else the newest, as one document."""
    id = call.id("flow")
    document = await call.read(exchange.export_flow, id)
    disposition = f'attachment; filename="flow-{id}.json"'
    return envelope.answer(document, headers={"Content-Disposition": disposition})


@routes.post(
    "/flows/import", role=Role.MANAGER, body=schemas_flows.FlowDocument, answer=schemas.One[schemas.Flow]
)
async def import_flow(call: Call) -> Response:
    """Make a flow of an exported document.

    The flow is disabled and holds a Draft, whose message tells what it came without.
    """
    document = await call.made(documents.read)
    return envelope.data(await call.write(exchange.make_flow, document))


@routes.post("/flows/{flow}/duplicate", role=Role.MANAGER, answer=schemas.One[schemas.Flow])
async def duplicate_flow(call: Call) -> Response:
    """Make a flow of what an export of another holds.

    The flow is disabled and holds a Draft, whose message tells what it came without.
    """
    return envelope.data(await call.write(exchange.duplicate, call.id("flow")))
