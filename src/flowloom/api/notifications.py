"""Notifications over HTTP: what was told to whom, and whether it arrived."""

from __future__ import annotations

from starlette.responses import Response

from flowloom.api import schemas
from flowloom.api import schemas_notifications as models
from flowloom.api.call import Call
from flowloom.api.routes import Routes
from flowloom.services import notifications
from flowloom.services.actor import Role

routes = Routes("Notifications")


@routes.get(
    "/notifications",
    role=Role.READ_ONLY,
    answer=schemas.Page[models.Notification],
    listing=notifications.LISTING,
)
async def list_notifications(call: Call) -> Response:
    """List notifications, newest first"""
    asked = call.asked(notifications.LISTING)
    return call.page(asked, await call.read(notifications.page, asked))
