"""Connectors over HTTP."""

from __future__ import annotations

from starlette.responses import Response

from flowloom.api import bodies, envelope, schemas
from flowloom.api import schemas_connectors as models
from flowloom.api.call import Call
from flowloom.api.routes import Routes
from flowloom.services import connector_imports, connectors
from flowloom.services.actor import Role

routes = Routes("Connectors")


@routes.get(
    "/connectors",
    role=Role.READ_ONLY,
    answer=schemas.Page[models.ConnectorSummary],
    listing=connectors.LISTING,
)
async def list_connectors(call: Call) -> Response:
    """List connectors, without their documents"""
    asked = call.asked(connectors.LISTING)
    return call.page(asked, await call.read(connectors.page, asked))


@routes.post(
    "/connectors", role=Role.MANAGER, answer=schemas.One[models.Connector], body=models.ConnectorCreate
)
async def create_connector(call: Call) -> Response:
    """Create a connector

    Every endpoint must be one that a connector step could have.
    """
    fields = await call.made(lambda sent: bodies.model(models.ConnectorCreate, sent).given())
    return envelope.data(await call.write(connectors.create, fields))


@routes.post(
    "/connectors/import",
    role=Role.MANAGER,
    answer=schemas.One[models.ConnectorImported],
    body=models.ConnectorImport,
)
async def import_connector(call: Call) -> Response:
    """Make a connector of an OpenAPI document or a Postman collection

    References into the document itself are followed, no others.
    """
    wanted = await call.body(models.ConnectorImport)
    made = await connector_imports.read_aside(wanted.document, wanted.format, wanted.name)
    if wanted.dry_run:
        return envelope.data(connector_imports.view(made))
    created = await call.write(connectors.create, made.fields)
    return envelope.data({"connector_id": created["id"], **connector_imports.view(made)})


@routes.get("/connectors/{connector}", role=Role.READ_ONLY, answer=schemas.One[models.Connector])
async def get_connector(call: Call) -> Response:
    """Get a connector with its document"""
    return envelope.data(await call.read(connectors.get, call.id("connector")))


@routes.put(
    "/connectors/{connector}",
    role=Role.MANAGER,
    answer=schemas.One[models.Connector],
    body=models.ConnectorUpdate,
)
async def update_connector(call: Call) -> Response:
    """Change a connector

    The connections that use it follow: refused where one would send its secret elsewhere. No step changes.
    """
    id = call.id("connector")
    fields = await call.made(lambda sent: bodies.model(models.ConnectorUpdate, sent).given())
    platform = call.platform
    return envelope.data(await call.write(connectors.change, platform.circuits, platform.vault, id, fields))


@routes.delete("/connectors/{connector}", role=Role.MANAGER, answer=schemas.Message)
async def delete_connector(call: Call) -> Response:
    """Delete a connector that no connection uses"""
    id = call.id("connector")
    await call.write(connectors.remove, id)
    return envelope.message(f"Connector {id} was deleted.")
