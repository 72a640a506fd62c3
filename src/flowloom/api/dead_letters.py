"""Dead letters over HTTP: looking at them, driving them again, discarding them."""

from __future__ import annotations

from starlette.responses import Response

from flowloom.api import bodies, envelope, retries, runs, schemas, schemas_runs
from flowloom.api.call import Call
from flowloom.api.idempotency import idempotency
from flowloom.api.routes import Routes
from flowloom.services import dead_letters, redrives
from flowloom.services.actor import Role

routes = Routes("Dead letters")
LISTING = dead_letters.LISTING


@routes.get(
    "/dead-letters", role=Role.READ_ONLY, listing=LISTING, answer=schemas.Page[schemas_runs.DeadLetter]
)
async def list_dead_letters(call: Call) -> Response:
    """List payloads that failed for good, newest first."""
    asked = call.asked(LISTING)
    return call.page(asked, await call.read(dead_letters.page, asked))


@routes.get(
    "/dead-letters/counts",
    role=Role.READ_ONLY,
    listing=LISTING,
    answer=schemas.Many[schemas_runs.DeadLetterCount],
)
async def count_dead_letters(call: Call) -> Response:
    """Count dead letters by flow, version, step and error class; the filters are those of the list."""
    return envelope.data(await call.read(dead_letters.counts, call.asked(LISTING).values))


@routes.get("/dead-letters/{dead_letter}", role=Role.READ_ONLY, answer=schemas.One[schemas_runs.DeadLetter])
async def get_dead_letter(call: Call) -> Response:
    """Get a dead letter, without its body."""
    return envelope.data(await call.read(dead_letters.get, call.id("dead_letter")))


@routes.get("/dead-letters/{dead_letter}/download", role=Role.READ_ONLY, media_type="*/*")
async def download_dead_letter(call: Call) -> Response:
    """Download the body of a dead letter as it was given to the step that failed."""
    row = await call.read(dead_letters.load, call.id("dead_letter"))
    dead_letters.require_payload(row)
    return await runs.download(call, row, f"dead-letter-{row.id}")


@routes.post(
    "/dead-letters/{dead_letter}/re-drive",
    role=Role.USER,
    body=schemas_runs.RedriveRequest,
    needs_body=False,
    answer=schemas_runs.StartAnswer,
)
async def redrive_dead_letter(call: Call) -> Response:
    """Queue a run of this payload alone, from the step that failed it."""
    content = await bodies.raw(call.request)
    sent = bodies.model(schemas_runs.RedriveRequest, bodies.parse_object(call.request, content))
    id, ids = call.id("dead_letter"), call.platform.run_ids
    letter = await call.read(dead_letters.load, id)
    body, content_type = await retries.edited(call, sent.payload, letter.content_type)
    wish = redrives.Wish(
        version_id=sent.version,
        edited=None if body is None else (body, content_type),
        idempotency=idempotency(call.request, content),
    )
    started = await call.write(redrives.redrive, ids, id, wish)
    call.platform.broker.wake()
    return await runs.start_answer(call, started)


@routes.post(
    "/dead-letters/re-drive",
    role=Role.USER,
    listing=LISTING,
    answer=schemas.One[schemas_runs.BulkRetry],
)
async def redrive_dead_letters(call: Call) -> Response:
    """Drive the open dead letters that the filters name again, 1,000 at most, each in a run of its own."""
    values, ids = retries.filters_of(call, LISTING), call.platform.run_ids
    key = idempotency(call.request, await bodies.raw(call.request))
    made = await call.write(redrives.redrive_matching, ids, values, key)
    call.platform.broker.wake()
    return envelope.data(made)


@routes.post(
    "/dead-letters/{dead_letter}/discard", role=Role.USER, answer=schemas.One[schemas_runs.DeadLetter]
)
async def discard_dead_letter(call: Call) -> Response:
    """Let a dead letter rest."""
    return envelope.data(await call.write(dead_letters.discard, call.id("dead_letter")))


@routes.post(
    "/dead-letters/discard",
    role=Role.USER,
    listing=LISTING,
    answer=schemas.One[schemas_runs.BulkDiscard],
)
async def discard_dead_letters(call: Call) -> Response:
    """Discard the open dead letters that the filters name, 1,000 at most."""
    values = retries.filters_of(call, LISTING)
    return envelope.data({"discarded": await call.write(dead_letters.discard_matching, values)})
