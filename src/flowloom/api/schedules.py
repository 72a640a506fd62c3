"""Schedules over HTTP: operations 9 to 12 of the contract, the preview, what fires next, and what did not fire."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from starlette.responses import Response

from flowloom.api import envelope, schemas, schemas_schedules
from flowloom.api.call import Call
from flowloom.api.routes import Routes, query_parameter
from flowloom.services import schedules, upcoming
from flowloom.services.actor import Role
from flowloom.store import query

routes = Routes("Schedules")
SCHEDULE = schemas.One[schemas.Schedule]


def fields(body: schemas_schedules.ScheduleFields) -> dict[str, Any]:
    """What a body says of a schedule; `deployed_at` is accepted and ignored."""
    return body.model_dump(include=set(schedules.FIELDS), exclude_none=True)


@routes.get(
    "/schedules",
    role=Role.READ_ONLY,
    listing=upcoming.LISTING,
    parameters=[
        query_parameter("from", "Fires after this instant; now unless given", {"type": "string"}),
        query_parameter(
            "to", "Up to this one, 31 days later at most; a day unless given", {"type": "string"}
        ),
    ],
    answer=schemas.Page[schemas.UpcomingSchedule],
)
async def list_upcoming_schedules(call: Call) -> Response:
    """List the schedules of all Deployed versions with their next fires, the soonest first.

    Of each the first 50 fires in the window; none of a flow that is disabled.
    """
    asked = call.asked(upcoming.LISTING)
    within = upcoming.window(call.actor.at, _instant(call, "from"), _instant(call, "to"))
    return call.page(asked, await call.read(upcoming.page, asked, within))


def _instant(call: Call, name: str) -> datetime | None:
    text = call.parameter(name)
    return query.read_instant(name, text) if text else None


@routes.get(
    "/flow-versions/{flow_version}/schedules",
    role=Role.READ_ONLY,
    listing=schedules.LISTING,
    answer=schemas.Page[schemas.Schedule],
)
async def list_schedules(call: Call) -> Response:
    """List the schedules of a version."""
    asked = call.asked(schedules.LISTING)
    return call.page(asked, await call.read(schedules.page, call.id("flow_version"), asked))


@routes.post(
    "/flow-versions/{flow_version}/schedules",
    role=Role.MANAGER,
    body=schemas_schedules.ScheduleCreate,
    answer=SCHEDULE,
)
async def create_schedule(call: Call) -> Response:
    """Create a schedule of a Draft."""
    body = await call.body(schemas_schedules.ScheduleCreate)
    version = call.id("flow_version")
    return envelope.data(*await call.edit(schedules.create, version, fields(body), call.if_match))


@routes.put(
    "/flow-versions/{flow_version}/schedules/{schedule}",
    role=Role.MANAGER,
    body=schemas_schedules.ScheduleFields,
    answer=SCHEDULE,
)
async def update_schedule(call: Call) -> Response:
    """Change a schedule of a Draft; what is left out stays."""
    body = await call.body(schemas_schedules.ScheduleFields)
    version, id = call.id("flow_version"), call.id("schedule")
    return envelope.data(*await call.edit(schedules.change, version, id, fields(body), call.if_match))


@routes.delete(
    "/flow-versions/{flow_version}/schedules/{schedule}", role=Role.MANAGER, answer=schemas.Message
)
async def delete_schedule(call: Call) -> Response:
    """Delete a schedule of a Draft."""
    version, id = call.id("flow_version"), call.id("schedule")
    _, etag = await call.edit(schedules.remove, version, id, call.if_match)
    return envelope.answer({"message": "Schedule deleted."}, headers=etag)


@routes.post(
    "/schedules/preview",
    role=Role.READ_ONLY,
    body=schemas_schedules.SchedulePreview,
    answer=schemas.Many[schemas_schedules.Slot],
)
async def preview_schedule(call: Call) -> Response:
    """Show the next instants of a schedule, with notes where the clocks change."""
    body = await call.body(schemas_schedules.SchedulePreview)
    return envelope.data(schedules.preview(fields(body), body.count, call.actor.at))


@routes.get(
    "/schedules/{schedule}/slots",
    role=Role.READ_ONLY,
    listing=schedules.SLOT_LISTING,
    answer=schemas.Page[schemas_schedules.MissedSlots],
)
async def list_slots(call: Call) -> Response:
    """List the slots in which a schedule did not fire, as ranges with the reason."""
    asked = call.asked(schedules.SLOT_LISTING)
    return call.page(asked, await call.read(schedules.unfired, call.id("schedule"), asked))
