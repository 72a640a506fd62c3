"""Tracked data over HTTP."""

from __future__ import annotations

from starlette.responses import Response

from flowloom.api import schemas
from flowloom.api import schemas_data as data
from flowloom.api.call import Call
from flowloom.api.routes import Routes
from flowloom.services import tracked_data
from flowloom.services.actor import Role

routes = Routes("Tracked data")


@routes.get(
    "/tracked-data", role=Role.READ_ONLY, answer=schemas.Page[data.Tracked], listing=tracked_data.LISTING
)
async def list_tracked_data(call: Call) -> Response:
    """List which runs saw which entities, newest first"""
    asked = call.asked(tracked_data.LISTING)
    return call.page(asked, await call.read(tracked_data.page, asked))
