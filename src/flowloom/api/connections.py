"""Connections over HTTP."""

from __future__ import annotations

import dataclasses

from starlette.responses import Response

from flowloom.api import envelope, schemas
from flowloom.api import schemas_accounts as accounts
from flowloom.api.call import Call
from flowloom.api.routes import Routes
from flowloom.services import connections, views
from flowloom.services.actor import Role

routes = Routes("Connections")


@routes.get(
    "/connections",
    role=Role.READ_ONLY,
    answer=schemas.Page[accounts.Connection],
    listing=connections.LISTING,
)
async def list_connections(call: Call) -> Response:
    """List connections"""
    asked = call.asked(connections.LISTING)
    return call.page(asked, await call.read(connections.page, call.platform.circuits, asked))


@routes.post(
    "/connections",
    role=Role.MANAGER,
    answer=schemas.One[accounts.Connection],
    body=accounts.ConnectionCreate,
)
async def create_connection(call: Call) -> Response:
    """Create a connection

    Its secret is sealed and never answered.
    """
    wanted = await call.body(accounts.ConnectionCreate)
    return envelope.data(await call.write(connections.create, call.platform.vault, wanted.given()))


@routes.get("/connections/{connection}", role=Role.READ_ONLY, answer=schemas.One[accounts.Connection])
async def get_connection(call: Call) -> Response:
    """Get a connection

    With a circuit breaker also how it stands in the process that answers.
    """
    return envelope.data(await call.read(connections.get, call.platform.circuits, call.id("connection")))


@routes.put(
    "/connections/{connection}",
    role=Role.MANAGER,
    answer=schemas.One[accounts.Connection],
    body=accounts.ConnectionUpdate,
)
async def update_connection(call: Call) -> Response:
    """Change a connection

    The stored secret stays unless a new one is sent. Another kind of authentication or further hosts need it
    again.
    """
    id = call.id("connection")
    wanted = await call.body(accounts.ConnectionUpdate)
    platform = call.platform
    return envelope.data(
        await call.write(connections.change, platform.circuits, platform.vault, id, wanted.given())
    )


@routes.delete("/connections/{connection}", role=Role.MANAGER, answer=schemas.Message)
async def delete_connection(call: Call) -> Response:
    """Delete a connection that no Deployed version uses"""
    id = call.id("connection")
    await call.write(connections.remove, id)
    return envelope.message(f"Connection {id} was deleted.")


@routes.post(
    "/connections/{connection}/test", role=Role.MANAGER, answer=schemas.One[accounts.ConnectionTested]
)
async def test_connection(call: Call) -> Response:
    """Test a connection: one request to its base URL, or one login

    Answers within 20 seconds, also where it fails.
    """
    probed = await call.doors.probes.run(call.actor.company_id, call.id("connection"))
    return envelope.data(views.present(dataclasses.asdict(probed)))
