"""The webhooks of a flow over HTTP. Calling one is in `hooks`."""

from __future__ import annotations

from starlette.responses import Response
from ulid import ULID

from flowloom.api import envelope, schemas
from flowloom.api import schemas_accounts as accounts
from flowloom.api.call import Call
from flowloom.api.routes import Routes
from flowloom.services import webhooks
from flowloom.services.actor import Role

routes = Routes("Webhooks")


@routes.get(
    "/flows/{flow}/webhooks",
    role=Role.MANAGER,
    listing=webhooks.LISTING,
    answer=schemas.Page[accounts.Webhook],
)
async def list_webhooks(call: Call) -> Response:
    """List a flow's webhooks."""
    asked = call.asked(webhooks.LISTING)
    vault, flow_id = call.platform.vault, call.id("flow")
    return call.page(asked, await call.read(webhooks.page, vault, _base_url(call), flow_id, asked))


@routes.post(
    "/flows/{flow}/webhooks",
    role=Role.MANAGER,
    body=accounts.WebhookCreate,
    needs_body=False,
    answer=schemas.One[accounts.Webhook],
)
async def create_webhook(call: Call) -> Response:
    """Create a webhook of a flow.

    A POST to its URL starts the flow's Deployed version with the body as payload. With a secret, calls must
    also be signed as Standard Webhooks says.
    """
    flow_id = call.id("flow")
    wanted = await call.body(accounts.WebhookCreate)
    fields = {**wanted.model_dump(), "ulid": str(ULID.from_datetime(call.actor.at))}
    vault = call.platform.vault
    return envelope.data(await call.write(webhooks.create, vault, _base_url(call), flow_id, fields))


@routes.delete("/flows/{flow}/webhooks/{webhook}", role=Role.MANAGER, answer=schemas.Message)
async def delete_webhook(call: Call) -> Response:
    """Delete a webhook; its URL is dead at once."""
    await call.write(webhooks.remove, call.id("flow"), call.id("webhook"))
    call.doors.hooks.forget()
    return envelope.message("Webhook deleted.")


def _base_url(call: Call) -> str:
    """Where others reach this server."""
    return call.platform.settings.public_url or str(call.request.base_url).rstrip("/")
