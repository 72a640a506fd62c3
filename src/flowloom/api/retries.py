"""Stopping and retrying runs over HTTP, one or all that a list's filters name."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from flowloom import errors
from flowloom.api import bodies, envelope, runs, schemas, schemas_runs
from flowloom.api.call import Call
from flowloom.api.idempotency import idempotency
from flowloom.api.routes import Routes
from flowloom.domain import declaration, run
from flowloom.services import retries, stops
from flowloom.services import runs as services
from flowloom.services.actor import Role
from flowloom.store.blobs import Packed
from flowloom.store.stops import Stopped

routes = Routes("Runs")


@routes.post("/flow-runs/{flow_run}/stop", role=Role.USER, answer=schemas.One[schemas.Run])
async def stop_run(call: Call) -> Response:
    """Stop a run, and the runs of other flows that it waits for."""
    id = call.id("flow_run")
    _tell(call, await call.write(stops.stop, id))
    return envelope.data(await call.read(services.get, id))


@routes.post(
    "/flow-runs/stop", role=Role.USER, listing=services.LISTING, answer=schemas.One[schemas_runs.BulkStop]
)
async def stop_runs(call: Call) -> Response:
    """Stop the unfinished runs that the filters name, 1,000 at most."""
    stopped = await call.write(stops.stop_matching, filters_of(call, services.LISTING))
    _tell(call, stopped)
    return envelope.data({"stopped": [*stopped.ended, *stopped.ordered]})


def _tell(call: Call, stopped: Stopped) -> None:
    for id in stopped.ordered:
        call.platform.broker.order_stop(id)
    for id in stopped.ended:
        call.platform.broker.publish(id, {"type": "run", "status": int(run.Status.STOPPED)})
    call.platform.broker.wake()


def filters_of(call: Call, listing: Any) -> Mapping[str, Any]:
    """The filters that name what is to be worked on. Raises Invalid without any: all is never meant by nothing."""
    values = call.asked(listing).values
    if not values:
        raise errors.Invalid.field(
            "filter", "Name what is meant by at least one filter, such as filter[flow_id]."
        )
    return values


@routes.post(
    "/flow-runs/{flow_run}/retry",
    role=Role.USER,
    body=schemas_runs.RetryRequest,
    needs_body=False,
    answer=schemas_runs.RetryAnswer,
)
async def retry_run(call: Call) -> Response:
    """Queue a new run that goes on where an ended one failed, or from `from_step` on."""
    content = await bodies.raw(call.request)
    sent = bodies.model(schemas_runs.RetryRequest, bodies.parse_object(call.request, content))
    replaced = await call.read(retries.type_to_edit, call.id("flow_run"), sent.from_step)
    body, content_type = await edited(call, sent.payload, replaced)
    wish = retries.Wish(
        from_step=sent.from_step,
        version_id=sent.version,
        body=body,
        content_type=content_type,
        idempotency=idempotency(call.request, content),
    )
    days = call.platform.settings.payload_retention_days
    made = await call.write(retries.retry, call.platform.run_ids, call.id("flow_run"), wish, days)
    call.platform.broker.wake()
    more = {} if made.report is None else {"report": made.report}
    return await runs.start_answer(call, made.started, **more)


async def edited(call: Call, payload: str | None, content_type: str | None) -> tuple[Packed | None, str]:
    """An edited payload, packed, and its content type: that of the one it replaces, or as that of a start is read.

    Raises Invalid on `payload` for what is not of that type.
    """
    if payload is None:
        return None, ""
    if content_type is None:
        body, content_type = runs.payload_of(payload)
    else:
        body = _encoded(payload, content_type)
    return await asyncio.to_thread(call.platform.blobs.pack, body or b""), content_type


def _encoded(payload: str, content_type: str) -> bytes:
    try:
        body = payload.encode(declaration.parse(content_type).encoding)
        bodies.require_readable(body, content_type)
    except (UnicodeEncodeError, declaration.Unreadable) as error:
        raise errors.Invalid.field("payload", f"It cannot be written as {content_type}: {error}.") from None
    except errors.Invalid as invalid:
        raise errors.Invalid.field("payload", invalid.message) from None
    return body


@routes.post(
    "/flow-runs/retry", role=Role.USER, listing=services.LISTING, answer=schemas.One[schemas_runs.BulkRetry]
)
async def retry_runs(call: Call) -> Response:
    """Retry the runs that the filters name, 1,000 at most, each once.

    Runs that succeeded, that go on, or that were retried before are not meant.
    """
    values = filters_of(call, services.LISTING)
    days = call.platform.settings.payload_retention_days
    key = idempotency(call.request, await bodies.raw(call.request))
    made = await call.write(retries.retry_matching, call.platform.run_ids, values, days, key)
    call.platform.broker.wake()
    return envelope.data(made)
