"""Every route of the app, called by everybody: the role it declares decides, and nothing else.

Nobody sees records of another company, whatever the role.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from tests.asgi import Answer
from tests.contract import document
from tests.world import OTHER_KEY, World

from flowloom.services.actor import RANK, Role
from flowloom.store import tables

REVOKED = "flk_revoked"
# An id in each path that no record has, so that a caller who may do something finds nothing to do it to.
NO_RECORD = "4611686018427387904"


def all_operations(server: World) -> list[tuple[str, str, str]]:
    """Every operation but those that anybody may call: (method, path, needed role)."""
    found = document.of(server.server.app).operations()
    return [(method, path, operation["x-role"]) for method, path, operation in found]


def fill(path: str, ids: dict[str, Any] | None = None) -> str:
    parts = [part[1:-1] if part.startswith("{") else None for part in path.split("/")]
    known = ids or {}
    return "/".join(
        str(known.get(name, NO_RECORD)) if name else part
        for name, part in zip(parts, path.split("/"), strict=True)
    )


async def try_all(
    server: World, key: str | None, headers: dict[str, str] | None = None
) -> dict[tuple[str, str, str], Answer]:
    return {
        (method, path, role): await server.request(method, fill(path), key=key, headers=headers)
        for method, path, role in all_operations(server)
        if role != "public" and path != "/api/v1/logout"
    }


async def test_every_route_is_documented_with_its_role(sqlite_server: World) -> None:
    operations = all_operations(sqlite_server)
    assert {role for _, _, role in operations} == {"public", *Role}
    documented = {(method, path) for method, path, _ in operations}
    for route in sqlite_server.server.app.routes:
        for method in getattr(route, "methods", ()):
            if method != "HEAD" and route.path not in (
                "/",
                "/openapi.json",
                "/docs",
                "/icon.svg",
                "/assets/{name}",
            ):
                assert (method, route.path) in documented, route.path


@pytest.mark.parametrize("role", list(Role))
async def test_each_role(sqlite_server: World, role: Role) -> None:
    for (method, path, needed), answer in (await try_all(sqlite_server, sqlite_server.bearer(role))).items():
        allowed = RANK[role] >= RANK[Role(needed)]
        assert (answer.status != 403) == allowed, (method, path, answer.body)
        assert answer.status != 401
        if not allowed:
            assert needed in answer.json()["message"]


async def test_an_api_key_acts_as_manager(sqlite_server: World) -> None:
    for key in (sqlite_server.key, f"Bearer {sqlite_server.key}", f"bearer {sqlite_server.key}"):
        for (method, path, needed), answer in (await try_all(sqlite_server, key)).items():
            assert (answer.status == 403) == (needed == Role.ADMINISTRATOR), (method, path, answer.body)
            assert answer.status != 401


async def test_nobody_without_valid_credentials(sqlite_server: World) -> None:
    """No, unknown, revoked and expired credentials, and tokens of users who are gone or have a new password."""
    made = (await sqlite_server.post("/api-keys", json={"name": "Short"})).data
    await sqlite_server.delete(f"/api-keys/{made['id']}")
    expired, stale = sqlite_server.bearer("administrator"), sqlite_server.bearer("user")
    new_password = update(tables.users).where(tables.users.c.role == "user").values(password_hash="another")
    sqlite_server.platform.database.write_now(lambda connection: connection.execute(new_password))
    sqlite_server.clock.advance(seconds=timedelta(days=1).total_seconds())
    fresh = sqlite_server.bearer("manager")
    broken = (
        None,
        "",
        "Bearer",
        "Bearer ",
        "flk_unknown",
        "Basic dTpw",
        made["key"],
        expired,
        stale,
        fresh[:-2],
        "Bearer a.b.c",
    )
    for key in broken:
        for (method, path, _), answer in (await try_all(sqlite_server, key)).items():
            assert answer.status == 401, (key, method, path, answer.body)
            assert answer.json() == {"message": "Unauthenticated."}
            assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_session_cookie_is_as_good_as_a_token(sqlite_server: World) -> None:
    cookie = {"cookie": f"flowloom_session={sqlite_server.bearer('user').removeprefix('Bearer ')}"}
    assert (await sqlite_server.get("/me", key=None, headers=cookie)).data["role"] == "user"
    assert (await sqlite_server.get("/users", key=None, headers=cookie)).status == 403
    assert (await sqlite_server.get("/me", key=None, headers={"cookie": "flowloom_session=x"})).status == 401


async def test_public_routes_need_no_credentials(sqlite_server: World) -> None:
    for method, path, role in all_operations(sqlite_server):
        if role == "public":
            answer = await sqlite_server.request(method, fill(path), key=None)
            assert answer.status not in (401, 403) or path.endswith("/login"), path
    assert (await sqlite_server.get("/openapi.json", key=None)).status == 200
    assert (await sqlite_server.get("/docs", key=None)).status == 200


async def test_records_of_another_company_are_missing(server: World) -> None:
    """One record of each kind, and every operation on it by the other company's manager and administrator."""
    ids = await one_of_each(server)
    issuer = server.server.app.state.doors.principals
    other = f"Bearer {issuer.issue_token(len(Role) + 1, 'no-password', server.clock.now)}"
    before = await everything(server)
    for key in (OTHER_KEY, other):
        for method, path, needed in all_operations(server):
            if "{" not in path or needed == "public":
                continue
            answer = await server.request(
                method, fill(path, ids), json=BODIES.get(f"{method} {path}", {}), key=key
            )
            expected = {403, 404} if key == OTHER_KEY and needed == Role.ADMINISTRATOR else {404, 422}
            assert answer.status in expected, (method, path, answer.status, answer.body)
    assert await everything(server) == before


BODIES = {
    "POST /api/v1/flow-versions/{flow_version}/schedules": {"cron_string": "* * * * *"},
    "POST /api/v1/flow-versions/{flow_version}/graph/steps": {"microservice": "trigger", "parent_id": 1},
    "POST /api/v1/flow-versions/{flow_version}/graph/steps/{step}/routes": {"name": "b"},
    "PUT /api/v1/flow-versions/{flow_version}/variables": {"variables": {}},
    "POST /api/v1/data-pools/{data_pool}/entries": {"keys": ["b"]},
    "POST /api/v1/lookup-tables/{lookup_table}/rows": {"left": "b", "right": "b"},
}


GROUP = {"name": "Operators", "channels": [{"type": "log"}]}


async def one_of_each(server: World) -> dict[str, Any]:
    """Ids by the names that paths give them."""
    flow = await server.flow(
        {"microservice": "route", "config": {"mode": "all", "routes": [{"name": "a"}]}}, deploy=False
    )
    schedules = f"/flow-versions/{flow.version_id}/schedules"
    schedule = (await server.post(schedules, json={"cron_string": "0 1 * * *"})).data["id"]
    route = (await server.get(f"{flow.graph}/steps/{flow.last_step_id}/routes")).data[0]["id"]
    await flow.deploy()
    run = await flow.run([1])
    await (await server.flow({"microservice": "batch", "config": {"size": 1}})).run({"no": "list"})
    administrator = server.bearer("administrator")
    app = (await server.post(f"/flow-versions/{flow.version_id}/upload", key=administrator)).data[
        "marketplace_app_id"
    ]
    connection = {"name": "Shop", "base_url": "https://shop.test", "auth": {"type": "none"}}
    return {
        "flow": flow.id,
        "version": flow.version_id,
        "flow_version": flow.version_id,
        "step": flow.last_step_id,
        "route": route,
        "schedule": schedule,
        "flow_run": run["id"],
        "payload_metadata": (await server.get("/payload-metadata")).data[0]["id"],
        "connection": (await server.post("/connections", json=connection)).data["id"],
        "connector": (await server.post("/connectors", json={"name": "Shop"})).data["id"],
        "dead_letter": (await server.get("/dead-letters")).data[0]["id"],
        "webhook": (await server.post(f"/flows/{flow.id}/webhooks", json={"name": "In"})).data["id"],
        "user": 1,
        "api_key": (await server.post("/api-keys", json={"name": "Mine"})).data["id"],
        "marketplace_app": app,
        "notification_group": (await server.post("/notification-groups", json=GROUP)).data["id"],
        **await one_of_each_kind_of_data(server),
    }


async def one_of_each_kind_of_data(server: World) -> dict[str, Any]:
    """Ids of what flows keep between runs."""
    pool = (await server.post("/data-pools", json={"name": "orders"})).data["id"]
    table = (await server.post("/lookup-tables", json={"name": "countries"})).data["id"]
    await server.post(f"/data-pools/{pool}/entries", json={"keys": ["a"]})
    row = await server.post(f"/lookup-tables/{table}/rows", json={"left": "a", "right": "b"})
    config = {"action": "add", "key": "k"}
    await (await server.flow({"microservice": "cache", "config": config})).run([1])
    return {
        "data_pool": pool,
        "pool_entry": (await server.get(f"/data-pools/{pool}/entries")).data[0]["id"],
        "lookup_table": table,
        "lookup_row": row.data["id"],
        "cache_entry": (await server.get("/cache-entries")).data[0]["id"],
    }


async def everything(server: World) -> list[Any]:
    """All that the first company's lists show."""
    lists = [path for method, path, _ in all_operations(server) if method == "GET" and "{" not in path]
    shown = [path for path in lists if path not in ("/healthz", "/readyz", "/metrics", "/api/v1/me")]
    return [(await server.get(path, key=server.bearer("administrator"))).json() for path in shown]


async def test_a_path_that_ends_in_health_is_no_health_check(sqlite_server: World) -> None:
    for path in (
        "/flows/health",
        "/flows/1/health",
        "/flow-runs/healthz",
        "/me/healthz",
        "/users/readyz",
        "/flows/1/versions/metrics",
    ):
        assert (await sqlite_server.get(path, key=None)).status in (401, 404)
        assert (await sqlite_server.get(path)).status in (403, 404)


@pytest.mark.parametrize(
    "origin", ["http://[", "http://\u2100.com".encode().decode("latin-1"), "null", "", "http://evil.test"]
)
async def test_a_cookie_does_not_work_from_another_origin(sqlite_server: World, origin: str) -> None:
    value = sqlite_server.bearer("manager").removeprefix("Bearer ")
    headers = {"cookie": f"flowloom_session={value}", "origin": origin}
    assert (await sqlite_server.post("/flows", json={"name": "A"}, key=None, headers=headers)).status == 403
