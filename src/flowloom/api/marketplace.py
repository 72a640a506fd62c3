"""The marketplace over HTTP: uploading a version, and installing what was uploaded."""

from __future__ import annotations

from starlette.responses import Response

from flowloom.api import envelope, schemas
from flowloom.api import schemas_accounts as accounts
from flowloom.api.call import Call
from flowloom.api.routes import Routes
from flowloom.services import marketplace
from flowloom.services.actor import Role

routes = Routes("Marketplace")


@routes.post(
    "/flow-versions/{flow_version}/upload",
    role=Role.ADMINISTRATOR,
    body=schemas.Upload,
    answer=schemas.One[accounts.UploadAnswer],
)
async def upload_flow_version(call: Call) -> Response:
    """Upload a Deployed version as a private app.

    Needs an administrator's bearer token. Uploading again makes the app's next version.
    """
    id = call.id("flow_version")
    fields = await call.json_object()
    return envelope.data(await call.write(marketplace.upload, id, fields.get("private", True)))


@routes.get(
    "/marketplace-apps",
    role=Role.READ_ONLY,
    listing=marketplace.LISTING,
    answer=schemas.Page[accounts.MarketplaceApp],
)
async def list_marketplace_apps(call: Call) -> Response:
    """List the company's apps."""
    asked = call.asked(marketplace.LISTING)
    return call.page(asked, await call.read(marketplace.page, asked))


@routes.get(
    "/marketplace-apps/{marketplace_app}",
    role=Role.READ_ONLY,
    answer=schemas.One[accounts.MarketplaceApp],
)
async def get_marketplace_app(call: Call) -> Response:
    """Get an app with its versions."""
    return envelope.data(await call.read(marketplace.get, call.id("marketplace_app")))


@routes.post(
    "/marketplace-apps/{marketplace_app}/install",
    role=Role.MANAGER,
    body=accounts.Install,
    needs_body=False,
    answer=schemas.One[schemas.Flow],
)
async def install_marketplace_app(call: Call) -> Response:
    """Make a flow of an app's newest version, or of the one asked for.

    The flow is disabled and holds a Draft.
    """
    id = call.id("marketplace_app")
    wanted = await call.body(accounts.Install)
    return envelope.data(await call.write(marketplace.install, id, wanted.name, wanted.version))
