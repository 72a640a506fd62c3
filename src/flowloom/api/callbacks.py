"""Callback URLs: a call starts the flow as a webhook does, and waits for what a callback step answers."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from sqlalchemy import Row
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from flowloom import errors
from flowloom.api import call, envelope, hooks
from flowloom.api.idempotency import WAIT_PARAMETER
from flowloom.domain import run
from flowloom.services import callbacks, webhooks

WAIT_SECONDS: Final = 60
MAX_WAIT_SECONDS: Final = 300
_BODILESS: Final = frozenset({204, 205, 304})
# What a flow answers is data: no browser runs it as a page of this server.
_SANDBOX: Final = {"content-security-policy": "sandbox"}
_FAILED: Final = frozenset({run.Status.FAILURE, run.Status.STOPPED})


async def receive(request: Request) -> Response:
    """Start a run and answer what its callback step says; else what it came to, or that it goes on."""
    try:
        seconds = _wait_seconds(request)
        started = await hooks.start(request, webhooks.Door.CALLBACK, run.Trigger.CALLBACK)
        platform = request.app.state.doors.platform
        found = await callbacks.wait(platform, started.run_id, seconds, request.is_disconnected)
        return await _answer(request, started.run_id, found)
    except errors.FlowloomError as problem:
        return envelope.error(problem)


def _wait_seconds(request: Request) -> int:
    text = request.query_params.get(WAIT_PARAMETER, str(WAIT_SECONDS))
    if not (text.isascii() and text.isdigit()) or len(text) > 3 or int(text) > MAX_WAIT_SECONDS:
        message = f"wait_seconds is a whole number from 0 to {MAX_WAIT_SECONDS}."
        raise errors.Invalid.field("wait_seconds", message)
    return int(text)


async def _answer(request: Request, run_id: int, found: Row[Any]) -> Response:
    if found.state is not None:
        return await _reply(request.app.state.doors, found)
    about = {"flow_run_id": run_id, "status": found.status}
    if not run.is_finished(found.status):
        return envelope.answer({"message": "The run goes on.", "flow_run_id": run_id}, 202)
    name = run.Status(found.status).name.lower()
    message = f"The run ended without an answer of a callback step: {name}."
    return envelope.answer({"message": message, **about}, 422 if found.status in _FAILED else 200)


async def _reply(doors: call.Doors, found: Row[Any]) -> Response:
    """What the callback step answered, as it was stored."""
    status = found.state["status"]
    headers = {**found.state["headers"], **_SANDBOX}
    if status in _BODILESS:
        return Response(None, status, headers)
    unpack = doors.platform.blobs.unpack
    body = await asyncio.to_thread(unpack, found.encoding, found.body, found.blob)
    is_plain = found.content_type.isascii() and found.content_type.isprintable()
    content_type = found.content_type if is_plain else "application/octet-stream"
    return Response(body, status, {**headers, "content-type": content_type})


receive.is_public = True  # type: ignore[attr-defined]
PATH = "/callbacks/{company}/{ulid}"
ROUTES = [Route(PATH, receive, methods=["POST"])]

_WAIT = {
    "name": WAIT_PARAMETER,
    "in": "query",
    "required": False,
    "schema": {"type": "integer", "minimum": 0, "maximum": MAX_WAIT_SECONDS, "default": WAIT_SECONDS},
}
_ANYTHING: dict[str, Any] = {"*/*": {"schema": {}}}
DOCUMENT: dict[str, Any] = {
    PATH: {
        "post": {
            "tags": ["Webhooks"],
            "operationId": "receive_callback",
            "summary": "Start the webhook's flow and wait for what its callback step answers",
            "description": (
                "The URL is the `callback_url` that creating the webhook answered. The answer is what the run's "
                "first callback step says: status, headers and body. A run that ends without one is answered "
                "with {message, flow_run_id, status}: 200, or 422 when it failed or was stopped. After "
                "`wait_seconds` the answer is 202 {message, flow_run_id}, and the run goes on. An "
                "Idempotency-Key that was used before gets the answer of the first run, however long it is waited for."
            ),
            "x-role": "public",
            "security": [],
            "parameters": [*hooks.PARAMETERS, _WAIT],
            "requestBody": hooks.BODY,
            "responses": {
                "200": {"description": "What the callback step answered", "content": _ANYTHING},
                "202": {"description": "The run goes on", "content": _ANYTHING},
                **{
                    status: {"description": about["description"], "content": _ANYTHING}
                    for status, about in hooks.REFUSALS.items()
                },
                "default": {"description": "What the callback step answered", "content": _ANYTHING},
            },
        }
    }
}
