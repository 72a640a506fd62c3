"""The overview over HTTP."""

from __future__ import annotations

from starlette.responses import Response

from flowloom import __version__
from flowloom.api import envelope, schemas, schemas_overview
from flowloom.api.call import Call
from flowloom.api.routes import Routes
from flowloom.services import overview
from flowloom.services.actor import Role

routes = Routes("Overview")


@routes.get("/overview", role=Role.READ_ONLY, answer=schemas.One[schemas_overview.Overview])
async def get_overview(call: Call) -> Response:
    """Get what needs attention first, how runs ended in the last 24 hours, and how the server is."""
    found = await call.read(overview.get)
    faults = await call.doors.readiness()
    return envelope.data({**found, "version": __version__, "faults": faults})
