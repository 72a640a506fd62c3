"""The HTTP application: every resource's routes, what all answers have in common, and the API's document."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from flowloom import errors
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
    documents,
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
    overview,
    processes,
    retries,
    routes,
    runs,
    schedules,
    tracked_data,
    ui,
    users,
    versions,
    webhooks,
)

log = structlog.get_logger(__name__)
RESOURCES = (
    health, logins, overview, processes, companies, users, keys, flows, versions, schedules, graphs, retries, runs,
    evidence, dead_letters, connectors, connections, webhooks, marketplace, notification_groups, notifications,
    data_pools, lookup_tables, cache_entries, tracked_data
)  # fmt: skip
Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]
MESSAGES = {
    404: "There is nothing at this path.",
    405: "This path does not take this method.",
}


def create(doors: call.Doors, lifespan: Lifespan) -> Starlette:
    """The application over these doors. Raises RuntimeError when a route declares no role."""
    # The first route is found first, and webhooks are called most.
    found = [*hooks.ROUTES, *callbacks.ROUTES]
    found += [operation for resource in RESOURCES for operation in resource.routes.operations]
    app = Starlette(routes=[*found, *docs.ROUTES, *ui.ROUTES], lifespan=lifespan)
    app.router.redirect_slashes = False
    app.state.doors = doors
    app.state.document = document
    app.add_middleware(headers.SecurityHeaders)
    app.add_middleware(head.Head)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(errors.FlowloomError, _known_error)
    app.add_exception_handler(Exception, _unknown_error)
    routes.check(app.routes)
    return app


def create_silent(doors: call.Doors, lifespan: Lifespan) -> Starlette:
    """An application that only says how the process is: of one that serves no API."""
    app = Starlette(routes=list(health.routes.operations), lifespan=lifespan)
    app.state.doors = doors
    app.add_middleware(headers.SecurityHeaders)
    app.add_exception_handler(errors.FlowloomError, _known_error)
    return app


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404 and ui.is_for_page(request):
        return ui.page(request)
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


@functools.cache
def document() -> dict[str, Any]:
    """The OpenAPI document of every such application."""
    return documents.make([resource.routes for resource in RESOURCES])
