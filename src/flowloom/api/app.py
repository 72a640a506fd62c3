"""The HTTP application: every resource's routes, what all answers have in common, and the API's document."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from flowloom import __version__, errors
from flowloom.api import (
    cache_entries,
    call,
    callbacks,
    companies,
    connections,
    connectors,
    data_pools,
    dead_letters,
    docs,
    envelope,
    evidence,
    flows,
    graphs,
    head,
    headers,
    health,
    hooks,
    keys,
    logins,
    lookup_tables,
    marketplace,
    notification_groups,
    notifications,
    retries,
    routes,
    runs,
    schedules,
    schemas,
    tracked_data,
    users,
    versions,
    webhooks,
)

log = structlog.get_logger(__name__)
RESOURCES = (
    health, logins, companies, users, keys, flows, versions, schedules, graphs, retries, runs, evidence,
    dead_letters, connectors, connections, webhooks, marketplace, notification_groups, notifications,
    data_pools, lookup_tables, cache_entries, tracked_data
)  # fmt: skip
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
MESSAGES = {
    404: "There is nothing at this path.",
    405: "This path does not take this method.",
}


def create(doors: call.Doors, lifespan: Lifespan) -> FastAPI:
    """The application over these doors. Raises RuntimeError when a route declares no role."""
    app = FastAPI(
        title="Flowloom",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        # Nothing here sets it up, and whether somebody has would be asked on every request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.doors = doors
    # include_router() would hide the routes behind a router of their own: slower, and unseen by the check below.
    app.router.routes.extend(route for resource in RESOURCES for route in resource.routes.router.routes)
    # The first route is found first, and webhooks are called most.
    app.router.routes[:0] = [*hooks.ROUTES, *callbacks.ROUTES]
    app.router.routes.extend(docs.ROUTES)
    app.add_middleware(headers.SecurityHeaders)
    app.add_middleware(head.Head)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(errors.FlowloomError, _known_error)
    app.add_exception_handler(Exception, _unknown_error)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]
    routes.check(app.routes)
    return app


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    text = MESSAGES.get(error.status_code, str(error.detail))
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(sorted(_methods_at(request)))
    return envelope.answer({"message": text}, error.status_code, headers)


def _methods_at(request: Request) -> set[str]:
    """The methods that the path of a request takes; each route knows only its own."""
    at_path = (route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE)
    taken = {method for route in at_path for method in getattr(route, "methods", None) or ()}
    return taken | {"HEAD"} if "GET" in taken else taken


async def _known_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.FlowloomError)
    return envelope.error(error)


async def _unknown_error(request: Request, error: Exception) -> Response:
    log.error("request_failed_inside", path=request.url.path, exc_info=error)
    # This answer goes past the middleware that adds them to all others.
    sent = {name.decode(): value.decode() for name, value in headers.HEADERS}
    return envelope.answer({"message": "Something went wrong inside; the server's log has more."}, 500, sent)


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the app, made once."""
    if app.openapi_schema is None:
        app.openapi_schema = _complete(get_openapi(title=app.title, version=app.version, routes=app.routes))
    return app.openapi_schema


def _complete(spec: dict[str, Any]) -> dict[str, Any]:
    """Add what routes alone do not tell: webhooks and callbacks, the models of bodies, and how to authenticate."""
    spec["paths"].update(hooks.DOCUMENT, **callbacks.DOCUMENT)
    known = spec.setdefault("components", {}).setdefault("schemas", {})
    _add_model(known, schemas.Error)
    for resource in RESOURCES:
        for model in resource.routes.models:
            _add_model(known, model)
    spec["components"]["securitySchemes"] = {
        "ApiKeyAuth": {"type": "apiKey", "in": "header", "name": "Authorization"},
        "BearerAuth": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    }
    spec["security"] = [{"ApiKeyAuth": []}, {"BearerAuth": []}]
    return spec


def _add_model(known: dict[str, Any], model: type[BaseModel]) -> None:
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    known.update(schema.pop("$defs", {}))
    known[routes.schema_name(model)] = schema
