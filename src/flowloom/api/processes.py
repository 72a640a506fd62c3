"""The processes over HTTP."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import Response

from flowloom.api import schemas, schemas_overview
from flowloom.api.call import Call
from flowloom.api.routes import Routes
from flowloom.services import processes
from flowloom.services.actor import Role

routes = Routes("Processes")


@routes.get(
    "/processes",
    role=Role.MANAGER,
    answer=schemas.Page[schemas_overview.Process],
    listing=processes.LISTING,
)
async def list_processes(call: Call) -> Response:
    """List the processes that work together on this database

    Empty for a server that is alone. One that is silent for `FLOWLOOM_WORKER_TIMEOUT_SECONDS` counts as dead, and after
    an hour it is forgotten.
    """
    asked = call.asked(processes.LISTING)
    silence = timedelta(seconds=call.platform.settings.worker_timeout_seconds)
    return call.page(asked, await call.read(processes.page, asked, silence))
