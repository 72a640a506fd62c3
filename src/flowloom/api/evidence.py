"""What a run shows of itself over HTTP: its steps, their payloads, and why it ran as it did."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from flowloom import errors
from flowloom.api import envelope, schemas, schemas_runs
from flowloom.api.call import Call
from flowloom.api.routes import Routes, query_parameter
from flowloom.engine import inspection
from flowloom.services import evidence, explanations, runs
from flowloom.services.actor import Role
from flowloom.store import query

routes = Routes("Runs")
LOOK = [
    query_parameter("step", "Key of the step", {"type": "string"}),
    query_parameter(
        "side",
        "What it was given, what it gave on, or what it had not taken yet when it failed or waits",
        {"type": "string", "enum": ["before", "after", "untried"], "default": "before"},
    ),
    query_parameter("page", "Page, from 1", {"type": "integer", "minimum": 1, "default": 1}),
    query_parameter(
        "per_page", "Payloads a page, 100 at most", {"type": "integer", "minimum": 1, "default": 15}
    ),
]
# The list is computed, not read: only its pages are asked for as those of other lists.
PAGES = query.Listing(select=runs.LISTING.select, id=runs.LISTING.id)


@routes.get("/flow-runs/{flow_run}/steps", role=Role.READ_ONLY, answer=schemas.Many[schemas_runs.RunStep])
async def list_run_steps(call: Call) -> Response:
    """List the steps of a run in run order, with what each did.

    Times, payloads and bytes in and out, attempts, failed payloads and CPU time are there once the run has ended or
    waits outside of memory. The time of a step counts its waits; `waited_ms` says for what.
    """
    return envelope.data(await call.read(evidence.steps, call.id("flow_run")))


@routes.get(
    "/flow-runs/{flow_run}/step-payloads",
    role=Role.READ_ONLY,
    parameters=LOOK,
    answer=schemas.Many[schemas_runs.StepPayload],
)
async def list_step_payloads(call: Call) -> Response:
    """List the payloads before or after a step of a run, or those that it had not come to yet.

    Of a run that goes on they are those that are known by now. Pure steps are computed again from what was recorded, as
    they were then; nothing is called or written. Once
    the payloads of a run are older than they are kept, there is nothing to compute from: 409, as for a retry.
    """
    id, step_key = call.id("flow_run"), call.parameter("step")
    if not step_key:
        raise errors.Invalid.field("step", "Name the step by its key, such as step=trigger.")
    side = _side(call.parameter("side"))
    await call.read(evidence.require_payloads, id, call.platform.settings.payload_retention_days)
    asked = call.asked(PAGES)
    first = (asked.page - 1) * asked.per_page
    seen = await call.doors.inspector.payloads(id, step_key, side, first, asked.per_page)
    return envelope.data([evidence.payload_view(payload) for payload in seen])


def _side(text: str | None) -> inspection.Side:
    match text:
        case None | "before":
            return "before"
        case "after":
            return "after"
        case "untried":
            return "untried"
        case _:
            raise errors.Invalid.field("side", "side takes before, after or untried.")


@routes.get(
    "/flow-runs/{flow_run}/explain", role=Role.READ_ONLY, answer=schemas.One[schemas_runs.Explanation]
)
async def explain_run(call: Call) -> Response:
    """Say why a run ran or not, why then, why on this version, and what it waited for.

    Before it began: its turn, a place in its flow, among its siblings, of its company or of the server. On its way:
    delays, runs of other flows, pauses between attempts, a rate limit, an open circuit, a `Retry-After`.
    """
    settings = call.platform.settings
    return envelope.data(await call.read(explanations.of_run, call.id("flow_run"), settings))


@routes.get(
    "/schedules/{schedule}/explain",
    role=Role.READ_ONLY,
    parameters=[
        query_parameter("at", "The slot: an instant such as 2026-01-31T10:00:00Z", {"type": "string"})
    ],
    answer=schemas.One[schemas_runs.Explanation],
)
async def explain_slot(call: Call) -> Response:
    """Say why a schedule fired at an instant, or why it did not."""
    text: Any = call.parameter("at")
    if not text:
        raise errors.Invalid.field("at", "Name the instant to explain, such as at=2026-01-31T10:00:00Z.")
    at = query.read_instant("at", text)
    settings = call.platform.settings
    return envelope.data(await call.read(explanations.of_slot, call.id("schedule"), at, settings))
