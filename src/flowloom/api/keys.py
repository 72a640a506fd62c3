"""API keys over HTTP."""

from __future__ import annotations

from starlette.responses import Response

from flowloom.api import envelope, schemas
from flowloom.api import schemas_accounts as accounts
from flowloom.api.call import Call
from flowloom.api.routes import Routes
from flowloom.services import keys
from flowloom.services.actor import Role

routes = Routes("API keys")


@routes.get("/api-keys", role=Role.MANAGER, answer=schemas.Page[accounts.ApiKey], listing=keys.LISTING)
async def list_api_keys(call: Call) -> Response:
    """List API keys, revoked ones too"""
    asked = call.asked(keys.LISTING)
    return call.page(asked, await call.read(keys.page, asked))


@routes.post(
    "/api-keys", role=Role.MANAGER, answer=schemas.One[accounts.NewApiKey], body=accounts.ApiKeyCreate
)
async def create_api_key(call: Call) -> Response:
    """Create an API key

    The answer holds the key, once: only its hash is kept.
    """
    wanted = await call.body(accounts.ApiKeyCreate)
    return envelope.data(await call.write(keys.create, wanted.name, keys.generate()))


@routes.delete("/api-keys/{api_key}", role=Role.MANAGER, answer=schemas.Message)
async def revoke_api_key(call: Call) -> Response:
    """Revoke an API key

    It stays in the list; revoking it again changes nothing.
    """
    id = call.id("api_key")
    await call.write(keys.revoke, id)
    call.doors.principals.forget()
    return envelope.message(f"API key {id} is revoked.")
