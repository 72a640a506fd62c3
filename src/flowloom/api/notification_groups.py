"""Notification groups over HTTP. They hold the addresses of webhooks, which may be secret: managers see them."""

from __future__ import annotations

from starlette.responses import Response

from flowloom.api import envelope, schemas
from flowloom.api import schemas_notifications as models
from flowloom.api.call import Call
from flowloom.api.routes import Routes
from flowloom.services import notification_groups
from flowloom.services.actor import Role

routes = Routes("Notifications")


@routes.get(
    "/notification-groups",
    role=Role.MANAGER,
    answer=schemas.Page[models.NotificationGroup],
    listing=notification_groups.LISTING,
)
async def list_notification_groups(call: Call) -> Response:
    """List notification groups"""
    asked = call.asked(notification_groups.LISTING)
    return call.page(asked, await call.read(notification_groups.page, asked))


@routes.post(
    "/notification-groups",
    role=Role.MANAGER,
    answer=schemas.One[models.NotificationGroup],
    body=models.NotificationGroupCreate,
)
async def create_notification_group(call: Call) -> Response:
    """Create a notification group"""
    wanted = await call.body(models.NotificationGroupCreate)
    vault = call.platform.vault
    return envelope.data(await call.write(notification_groups.create, vault, wanted.model_dump()))


@routes.get(
    "/notification-groups/{notification_group}",
    role=Role.MANAGER,
    answer=schemas.One[models.NotificationGroup],
)
async def get_notification_group(call: Call) -> Response:
    """Get a notification group"""
    return envelope.data(await call.read(notification_groups.get, call.id("notification_group")))


@routes.put(
    "/notification-groups/{notification_group}",
    role=Role.MANAGER,
    answer=schemas.One[models.NotificationGroup],
    body=models.NotificationGroupUpdate,
)
async def update_notification_group(call: Call) -> Response:
    """Change a notification group; what is queued goes where it was to go"""
    id = call.id("notification_group")
    wanted = await call.body(models.NotificationGroupUpdate)
    vault = call.platform.vault
    return envelope.data(await call.write(notification_groups.change, vault, id, wanted.given()))


@routes.delete("/notification-groups/{notification_group}", role=Role.MANAGER, answer=schemas.Message)
async def delete_notification_group(call: Call) -> Response:
    """Delete a notification group that no Deployed version and no flow's alerts name"""
    id = call.id("notification_group")
    await call.write(notification_groups.remove, id)
    return envelope.message(f"Notification group {id} was deleted.")


@routes.post(
    "/notification-groups/{notification_group}/test",
    role=Role.MANAGER,
    answer=schemas.Many[models.Notification],
)
async def test_notification_group(call: Call) -> Response:
    """Send a test message to all channels of a group

    Answers what is queued; how it went stands in the list of notifications.
    """
    return envelope.data(await call.write(notification_groups.test, call.id("notification_group")))
