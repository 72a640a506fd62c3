"""Every operation declares who may call it."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.responses import Response
from starlette.routing import Route

from flowloom.api import app as application
from flowloom.api import routes
from flowloom.services.actor import Role

PUBLIC = {
    ("POST", "/fabric/api/login"),
    ("POST", "/api/v1/login"),
    ("POST", "/api/v1/invitations/accept"),
}
ROLES = {*Role, "public"}


def test_every_operation_declares_its_role() -> None:
    for path, methods in application.document()["paths"].items():
        for method, operation in methods.items():
            assert operation["x-role"] in ROLES, (method, path)
            if operation["x-role"] == "public" and path.startswith(("/api", "/fabric")):
                assert (method.upper(), path) in PUBLIC


def test_every_operation_says_what_it_does() -> None:
    operations = [one for methods in application.document()["paths"].values() for one in methods.values()]
    assert all(operation["summary"] for operation in operations)
    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids))


def test_a_route_without_a_role_stops_the_start() -> None:
    async def endpoint(_request: Any) -> Response:
        return Response()

    forgotten = routes.Operation("GET", "/forgotten", endpoint, {})
    with pytest.raises(RuntimeError, match="/forgotten declares no role"):
        routes.check([forgotten])


def test_a_plain_route_must_say_that_it_is_public() -> None:
    async def endpoint(_request: Any) -> Response:
        return Response()

    with pytest.raises(RuntimeError, match="/forgotten"):
        routes.check([Route("/forgotten", endpoint)])
