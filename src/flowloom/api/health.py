"""Whether the process lives, whether it can work, and what it counts. Public: a load balancer has no key."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from flowloom import errors
from flowloom.api import envelope, schemas
from flowloom.api.routes import Routes

routes = Routes("Health", prefix="")


@routes.get("/healthz", role=None, answer=schemas.Message)
async def healthz(request: Request) -> Response:
    """Say that the process answers."""
    return envelope.message("ok")


@routes.get("/readyz", role=None, answer=schemas.Message)
async def readyz(request: Request) -> Response:
    """Say that database, migrations and loops are in order; 503 naming what is not."""
    faults = await request.app.state.doors.readiness()
    if faults:
        raise errors.Busy(f"Not ready: {'; '.join(faults)}.")
    return envelope.message("ready")


@routes.get("/metrics", role=None, media_type="text/plain")
async def metrics(request: Request) -> Response:
    """Show this process's counters in the Prometheus format."""
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)
