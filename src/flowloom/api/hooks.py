"""Inbound webhooks: the hot path, plain Starlette routes. The answer comes after the run is committed."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from flowloom import errors
from flowloom.api import bodies, call, envelope, routes, trace_context
from flowloom.api.idempotency import idempotency
from flowloom.domain import run
from flowloom.services import runs, webhooks
from flowloom.services.actor import Actor, Role
from flowloom.steps import aside
from flowloom.store import queue


async def receive(request: Request) -> Response:
    """Queue a run of the webhook's flow with the body as its payload: {message, flow_run_id}."""
    try:
        started = await start(request, webhooks.Door.WEBHOOK, run.Trigger.WEBHOOK)
    except errors.FlowloomError as problem:
        return envelope.error(problem)
    return envelope.message("Run queued.", flow_run_id=started.run_id)


async def start(request: Request, door: webhooks.Door, trigger: run.Trigger) -> queue.Started:
    """Queue the run that a call at this door of a webhook asks for. Raises what answers the call instead."""
    doors: call.Doors = request.app.state.doors
    platform, now = doors.platform, doors.platform.clock()
    company, ulid = request.path_params["company"], request.path_params["ulid"]
    if not platform.vault.verify(request.query_params.get("signature", ""), door, company, ulid):
        raise errors.Missing("Webhook", ulid[:26])
    hook = await doors.hooks.get(ulid, now, lambda: platform.database.read(webhooks.find, ulid))
    doors.rate.take(hook.company_id, now)
    content = await bodies.raw(request)
    key = await _key(request, hook, content)
    content_type = request.headers.get("content-type", "application/json")[:255]
    await aside.run(len(content), bodies.require_readable, content, content_type)
    order = runs.Order(
        flow_id=hook.flow_id,
        trigger=trigger,
        body=content or None,
        content_type=content_type,
        idempotency=key,
        trace_context=trace_context.of(request),
    )
    return await runs.start(platform, Actor(hook.company_id, Role.USER, now), order)


async def _key(request: Request, hook: Any, content: bytes) -> tuple[str, str] | None:
    """The idempotency key of a call and the fingerprint of what it asks. Raises Unauthenticated, Invalid."""
    platform = request.app.state.doors.platform
    key = await aside.run(len(content), idempotency, request, content)
    secret = webhooks.secret_of(platform.vault, hook)
    if secret is not None:
        # What is signed decides: whoever copies a signed call cannot make it a new one with another key.
        key = await aside.run(len(content), _signed_key, secret, request, content, platform.clock())
    return key and (f"webhook {hook.id} {hashlib.sha256(key[0].encode()).hexdigest()}", key[1])


def _signed_key(secret: str, request: Request, content: bytes, now: datetime) -> tuple[str, str]:
    """The id of a signed call and the fingerprint of its body. Raises Unauthenticated."""
    id = webhooks.verify_standard(secret, request.headers, content, now)
    return id, hashlib.sha256(content).hexdigest()


receive.is_public = True  # type: ignore[attr-defined]
PATH = "/webhooks/{company}/{ulid}"
ROUTES = [Route(PATH, receive, methods=["POST"])]


def _parameter(name: str, where: str) -> dict[str, Any]:
    return {"name": name, "in": where, "required": True, "schema": {"type": "string"}}


def json_content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


_ERROR = {"$ref": "#/components/schemas/Error"}
PARAMETERS = [*(_parameter(name, "path") for name in ("company", "ulid")), _parameter("signature", "query")]
BODY = {"required": False, "content": {"*/*": {"schema": {}}}}
REFUSALS = {
    str(status): {"description": about["description"], "content": json_content(_ERROR)}
    for status, about in routes.ERRORS.items()
}
_ANSWER = {
    "type": "object",
    "required": ["message", "flow_run_id"],
    "properties": {"message": {"type": "string"}, "flow_run_id": {"type": "integer"}},
}
DOCUMENT: dict[str, Any] = {
    PATH: {
        "post": {
            "tags": ["Webhooks"],
            "operationId": "receive_webhook",
            "summary": "Start the webhook's flow with the body as payload",
            "description": "The URL is the one that creating the webhook answered.",
            "x-role": "public",
            "security": [],
            "parameters": PARAMETERS,
            "requestBody": BODY,
            "responses": {
                "200": {"description": "The run is committed", "content": json_content(_ANSWER)},
                **REFUSALS,
            },
        }
    }
}
