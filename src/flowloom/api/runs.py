"""Runs over HTTP: starting, listing, following, stopping and retrying them, their logs and payloads."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from sqlalchemy import Row
from starlette.responses import Response, StreamingResponse

from flowloom import errors
from flowloom.api import bodies, envelope, schemas, schemas_runs, trace_context
from flowloom.api.call import Call
from flowloom.api.idempotency import idempotency
from flowloom.api.routes import Routes, query_parameter
from flowloom.domain import run
from flowloom.services import evidence, exchanges, graphs, runs, waits
from flowloom.services.actor import Role
from flowloom.steps import aside
from flowloom.store import queue
from flowloom.store.broker import Broker

routes = Routes("Runs")
KEEP_ALIVE_SECONDS = 15.0
SECOND_LOOK_SECONDS = 1.0
VARIABLES = query_parameter("flow_variables", "Variables of the run, as a JSON object", {"type": "string"})


def _declare_starts(trigger: run.Trigger, word: str) -> None:
    """`start` and its twin `manual` differ in what the run says started it."""

    async def start(call: Call) -> Response:
        content = await bodies.raw(call.request)
        sent = bodies.model(schemas_runs.StartRequest, bodies.parse_object(call.request, content))
        body, content_type = payload_of(sent.payload)
        return await _started(call, content, _order(call, trigger, body, content_type, sent.flow_variables))

    async def start_raw(call: Call) -> Response:
        content = await bodies.raw(call.request)
        content_type = body_type(call)
        variables = _query_variables(call)
        await aside.run(len(content), bodies.require_readable, content, content_type)
        return await _started(call, content, _order(call, trigger, content or None, content_type, variables))

    for suffix, twin in (("", ""), ("/{version}", "_version")):
        start.__name__, start_raw.__name__ = f"{word}_flow{twin}", f"{word}_flow_raw{twin}"
        start.__doc__ = f"Start a run{' of a version' if twin else ''}; answers after it is committed."
        start_raw.__doc__ = "The same; the request's body is the payload. JSON is in UTF-8."
        declared: dict[str, Any] = {
            "role": Role.USER,
            "answer": schemas_runs.StartAnswer,
            "needs_body": False,
        }
        # The raw twin comes first: /start/raw would else be taken for a version called "raw".
        routes.post(f"/flows/{{flow}}/{word}/raw{suffix}", raw_body=True, parameters=[VARIABLES], **declared)(
            start_raw
        )
        routes.post(f"/flows/{{flow}}/{word}{suffix}", body=schemas_runs.StartRequest, **declared)(start)


_declare_starts(run.Trigger.API, "start")
_declare_starts(run.Trigger.MANUAL, "manual")


def payload_of(text: str | None) -> tuple[bytes | None, str]:
    """The start payload of a text: the JSON value that it holds, or the text itself; none of an empty one."""
    if not text:
        return None, "application/json"
    body = text.encode()
    try:
        bodies.decode(body)
    except errors.Invalid:
        return body, "text/plain"
    return body, "application/json"


def body_type(call: Call) -> str:
    """The content type of a raw body; JSON unless the request says otherwise, and for a form's too.

    `curl -d` calls whatever it sends a form, so JSON that is sent with it works as written.
    """
    content_type = call.request.headers.get("content-type", "application/json")[:255]
    return (
        "application/json" if content_type.startswith("application/x-www-form-urlencoded") else content_type
    )


def _query_variables(call: Call) -> dict[str, Any] | None:
    given = call.request.query_params.getlist("flow_variables")
    if not given:
        return None
    if len(given) > 1:
        raise errors.Invalid.field(
            "flow_variables", f"flow_variables is given {len(given)} times; give it once."
        )
    try:
        variables = bodies.decode(given[0].encode(errors="surrogatepass"))
    except errors.Invalid:
        variables = None
    if not isinstance(variables, dict):
        raise errors.Invalid.field(
            "flow_variables", 'flow_variables takes a JSON object, such as {"shop": "nl"}.'
        )
    bodies.refuse_nul(variables, "flow_variables")
    return variables


def _order(
    call: Call, trigger: run.Trigger, body: bytes | None, content_type: str, variables: dict[str, Any] | None
) -> runs.Order:
    graphs.require_variables(variables or {}, "flow_variables")
    return runs.Order(
        flow_id=call.id("flow"),
        version_id=call.id("version") if "version" in call.request.path_params else None,
        trigger=trigger,
        body=body,
        content_type=content_type,
        variables=variables,
        idempotency=None,
        trace_context=trace_context.of(call.request),
    )


async def _started(call: Call, content: bytes, order: runs.Order) -> Response:
    key = idempotency(call.request, content)
    started = await runs.start(call.platform, call.actor, dataclasses.replace(order, idempotency=key))
    return await start_answer(call, started)


async def start_answer(call: Call, started: queue.Started, **more: Any) -> Response:
    """The answer of whatever queues a run."""
    found = await call.read(runs.as_queued, started.run_id)
    return envelope.answer({"message": "Run queued.", "flow_run_id": started.run_id, "data": found, **more})


@routes.get("/flow-runs", role=Role.READ_ONLY, listing=runs.LISTING, answer=schemas.Page[schemas.Run])
async def list_runs(call: Call) -> Response:
    """List runs, newest first."""
    asked = call.asked(runs.LISTING)
    return call.page(asked, await call.read(runs.page, asked))


@routes.get("/scheduled-flows", role=Role.READ_ONLY, listing=waits.LISTING, answer=schemas.Page[schemas.Run])
async def list_queue(call: Call) -> Response:
    """List the runs that wait, by priority, with what each waits for."""
    limit = call.platform.settings.company_concurrency
    asked = call.asked(waits.LISTING)
    return call.page(asked, await call.read(waits.page, asked, limit))


@routes.get("/flow-runs/{flow_run}", role=Role.READ_ONLY, answer=schemas.One[schemas.Run])
async def get_run(call: Call) -> Response:
    """Get a run."""
    return envelope.data(await call.read(runs.get, call.id("flow_run")))


@routes.get(
    "/flow-runs/{flow_run}/flow-run-logs",
    role=Role.READ_ONLY,
    listing=runs.LOG_LISTING,
    answer=schemas.Page[schemas_runs.LogLine],
)
async def list_run_logs(call: Call) -> Response:
    """List the log lines of a run."""
    asked = call.asked(runs.LOG_LISTING)
    return call.page(asked, await call.read(runs.logs, call.id("flow_run"), asked))


@routes.get(
    "/flow-runs/{flow_run}/exchanges",
    role=Role.READ_ONLY,
    listing=exchanges.LISTING,
    answer=schemas.Page[schemas_runs.Exchange],
)
async def list_exchanges(call: Call) -> Response:
    """List what the connectors of a run asked and were answered

    Without secrets, and of each body the beginning only.
    """
    asked = call.asked(exchanges.LISTING)
    return call.page(asked, await call.read(exchanges.page, call.id("flow_run"), asked))


@routes.get("/flow-runs/{flow_run}/events", role=Role.READ_ONLY, media_type="text/event-stream")
async def follow_run(call: Call) -> Response:
    """Follow a run live, as server-sent events, until it ends."""
    id = call.id("flow_run")
    await call.read(runs.get, id)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(call, call.platform.broker, id), 200, headers, "text/event-stream")


async def _events(call: Call, broker: Broker, id: int) -> AsyncIterator[bytes]:
    async with broker.watch(id) as events:
        # A worker elsewhere may hear late that somebody watches: what was missed is seen at the second look.
        patience_seconds = SECOND_LOOK_SECONDS
        state = await _state(call, id)
        while True:
            for event in state:
                yield _event(event)
            if any(event["type"] == "run" and run.is_finished(event["status"]) for event in state):
                return
            try:
                async with asyncio.timeout(patience_seconds):
                    heard = await events.get()
            except TimeoutError:
                yield b": still here\n\n"
                patience_seconds = KEEP_ALIVE_SECONDS
                state = await _state(call, id)
                continue
            if heard is None:
                return
            state = [heard]


async def _state(call: Call, id: int) -> list[dict[str, Any]]:
    """How a run stands, as the events that led there."""
    status = (await call.read(runs.get, id))["status"]
    steps = await call.read(evidence.progress, id)
    told = [{"type": "step", "step": step, "state": state} for step, state in steps.items()]
    return [{"type": "run", "status": status}, *told]


def _event(content: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (content["type"].encode(), msgspec.json.encode(content))


@routes.get(
    "/payload-metadata",
    role=Role.READ_ONLY,
    listing=runs.PAYLOAD_LISTING,
    answer=schemas.Page[schemas_runs.PayloadMetadata],
)
async def list_payloads(call: Call) -> Response:
    """List payloads, without their bodies."""
    asked = call.asked(runs.PAYLOAD_LISTING)
    return call.page(asked, await call.read(runs.payloads, asked))


@routes.get(
    "/payload-metadata/{payload_metadata}",
    role=Role.READ_ONLY,
    answer=schemas.One[schemas_runs.PayloadMetadata],
)
async def get_payload(call: Call) -> Response:
    """Get what is known of a payload."""
    return envelope.data(await call.read(runs.payload, call.id("payload_metadata")))


@routes.get("/payload-metadata/{payload_metadata}/download", role=Role.READ_ONLY, media_type="*/*")
async def download_payload(call: Call) -> Response:
    """Download the body of a payload as it was."""
    row = await call.read(runs.payload_row, call.id("payload_metadata"))
    return await download(call, row, f"payload-{row.id}")


async def download(call: Call, row: Row[Any], name: str) -> Response:
    """A stored body as it was, as a file."""
    body = await asyncio.to_thread(call.platform.blobs.unpack, row.encoding, row.body, row.blob)
    headers = {"Content-Disposition": f"attachment; filename={name}"}
    is_plain = row.content_type.isascii() and row.content_type.isprintable()
    return Response(body, 200, headers, row.content_type if is_plain else "application/octet-stream")
