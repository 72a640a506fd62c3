"""Connections: what they take, and that their secrets never come out."""

from __future__ import annotations

from typing import Any

import pytest
from tests.asgi import Answer
from tests.world import World

from flowloom.store import connections

SHOP = {
    "name": "Shop",
    "base_url": "https://shop.example.com/api",
    "auth": {"type": "bearer", "token": "s3cret-token"},
}
OAUTH = {
    "type": "oauth2_client_credentials",
    "token_url": "https://login.example.com/token",
    "client_id": "flowloom",
    "client_secret": "s3cret-client",
}
REFRESH = {**OAUTH, "type": "oauth2_refresh_token", "refresh_token": "s3cret-refresh"}


async def create(server: World, **fields: Any) -> Answer:
    return await server.post("/connections", json={**SHOP, **fields})


async def stored(server: World, id: int) -> connections.Connection:
    platform = server.platform
    found: connections.Connection = await platform.database.read(connections.load, platform.vault, 1, id)
    return found


async def test_a_connection_is_created_listed_and_read_without_its_secret(server: World) -> None:
    answer = await create(server, headers={"X-Shop": "eu"}, timeout_seconds=20)
    made = answer.data
    assert made == {
        "id": 1,
        "name": "Shop",
        "base_url": "https://shop.example.com/api",
        "allowed_hosts": ["shop.example.com"],
        "protocol": "http",
        "auth": {"type": "bearer", "has_secret": True},
        "headers": {"X-Shop": "eu"},
        "timeout_seconds": 20,
        "created_at": "2026-03-02T10:00:00.000000Z",
        "updated_at": "2026-03-02T10:00:00.000000Z",
    }
    reader = await server.token("read-only")
    for path in ("/connections", "/connections/1"):
        found = await server.get(path, key=reader)
        assert found.data in (made, [made])
        assert b"s3cret" not in found.body
    assert (await stored(server, 1)).secret == {"token": "s3cret-token"}


@pytest.mark.parametrize(
    ("auth", "shown", "secret"),
    [
        ({"type": "none"}, {"has_secret": False}, {}),
        ({"type": "basic", "username": "jo", "password": ""}, {"username": "jo"}, {"password": ""}),
        ({"type": "header", "name": "X-Key", "value": "abc"}, {"name": "X-Key"}, {"value": "abc"}),
    ],
)
async def test_each_kind_of_authentication(
    server: World, auth: dict[str, str], shown: dict[str, Any], secret: dict[str, str]
) -> None:
    made = (await create(server, auth=auth)).data
    assert made["auth"] == {"type": auth["type"], "has_secret": True, **shown}
    assert (await stored(server, made["id"])).secret == secret


@pytest.mark.parametrize(
    ("base_url", "hosts"),
    [
        ("http://127.0.0.1:9000", ["127.0.0.1:9000"]),
        ("https://[2001:db8::1]:8443/x", ["[2001:db8::1]:8443"]),
        ("https://Shop.Example.com", ["shop.example.com"]),
    ],
)
async def test_allowed_hosts_follow_from_the_base_url(server: World, base_url: str, hosts: list[str]) -> None:
    assert (await create(server, base_url=base_url)).data["allowed_hosts"] == hosts


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"base_url": "ftp://shop.example.com"}, "base_url"),
        ({"base_url": "/api"}, "base_url"),
        ({"base_url": "https://jo:pw@shop.example.com"}, "base_url"),
        ({"base_url": "https://shop.example.com?a=1"}, "base_url"),
        ({"base_url": "https://shop.example.com#a"}, "base_url"),
        ({"base_url": "https://shop.example.com:99999"}, "base_url"),
        ({"base_url": "https://shop.example.com\r\nX: y"}, "base_url"),
        ({"base_url": "https://[::1"}, "base_url"),
        ({"base_url": "https://0x7f.1"}, "allowed_hosts.0"),
        ({"base_url": None}, "allowed_hosts"),
        ({"allowed_hosts": ["shop.example.com", "http://x"]}, "allowed_hosts.1"),
        ({"allowed_hosts": ["elsewhere.example.com"]}, "allowed_hosts"),
        ({"allowed_hosts": ["shop.example.com:8443"]}, "allowed_hosts"),
        ({"allowed_hosts": ["*"]}, "allowed_hosts.0"),
        ({"allowed_hosts": [""]}, "allowed_hosts.0"),
        ({"allowed_hosts": "shop.example.com"}, "allowed_hosts"),
        ({"auth": {"type": "oauth1"}}, "auth.type"),
        ({"auth": {}}, "auth.type"),
        ({"auth": {"token": "s3cret"}}, "auth.type"),
        ({"auth": {"type": "bearer"}}, "auth.token"),
        ({"auth": {"type": "bearer", "token": ""}}, "auth.token"),
        ({"auth": {"type": "bearer", "token": "a\r\nb"}}, "auth.token"),
        ({"auth": {"type": "basic", "password": "p"}}, "auth.username"),
        ({"auth": {"type": "basic", "username": "a:b", "password": "p"}}, "auth.username"),
        ({"auth": {"type": "header", "name": "X Key", "value": "v"}}, "auth.name"),
        ({"headers": {"X-A": "a\nb"}}, "headers.X-A"),
        ({"headers": {"X A": "a"}}, "headers.X A"),
        ({"headers": {"X-Api-Key": "a secret"}}, "headers.X-Api-Key"),
        ({"headers": {"X-A": 1}}, "headers.X-A"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"rate_limit": {}}, "rate_limit"),
        ({"rate_limit": {"per_second": 1, "per_minute": 1}}, "rate_limit"),
        ({"rate_limit": {"per_second": 0}}, "rate_limit.per_second"),
        ({"rate_limit": {"per_second": 1, "burst": 0}}, "rate_limit.burst"),
        ({"circuit_breaker": {"failures": 3}}, "circuit_breaker.pause_seconds"),
        ({"circuit_breaker": {"failures": 0, "pause_seconds": 5}}, "circuit_breaker.failures"),
        ({"auth": {**OAUTH, "token_url": "ftp://login.example.com"}}, "auth.token_url"),
        ({"auth": {**OAUTH, "token_url": "https://login.example.com/?a=b"}}, "auth.token_url"),
        ({"auth": {**OAUTH, "client_id": None}}, "auth.client_id"),
        ({"auth": {**OAUTH, "client_secret": None}}, "auth.client_secret"),
        ({"auth": {**OAUTH, "scope": ""}}, "auth.scope"),
        ({"auth": {**OAUTH, "credentials_in": "url"}}, "auth.credentials_in"),
        ({"auth": {**REFRESH, "refresh_token": None}}, "auth.refresh_token"),
        ({"auth": OAUTH, "allowed_hosts": ["shop.example.com"]}, "allowed_hosts"),
        ({"timeout_seconds": 1801}, "timeout_seconds"),
    ],
)
async def test_bad_fields_are_named(server: World, fields: dict[str, Any], field: str) -> None:
    answer = await create(server, **fields)
    assert (answer.status, list(answer.json()["errors"])) == (422, [field])


async def test_a_connection_without_secret_needs_no_host(server: World) -> None:
    made = (await server.post("/connections", json={"name": "Any"})).data
    assert (made["allowed_hosts"], made["auth"]) == ([], {"type": "none", "has_secret": False})
    assert "base_url" not in made


async def test_a_change_keeps_what_it_leaves_out(server: World) -> None:
    made = (await create(server, timeout_seconds=20)).data
    changed = (await server.put("/connections/1", json={"name": "Store", "timeout_seconds": None})).data
    assert changed == {**{k: v for k, v in made.items() if k != "timeout_seconds"}, "name": "Store"}
    whole = (await server.put("/connections/1", json={**made, "auth": {"type": "bearer"}})).data
    assert whole == made
    assert (await stored(server, 1)).secret == {"token": "s3cret-token"}
    await server.put("/connections/1", json={"auth": {"type": "bearer", "token": "new"}})
    assert (await stored(server, 1)).secret == {"token": "new"}


async def test_another_kind_of_authentication_needs_its_secret(server: World) -> None:
    await create(server)
    basic = {"type": "basic", "username": "jo"}
    answer = await server.put("/connections/1", json={"auth": basic})
    assert (answer.status, list(answer.json()["errors"])) == (422, ["auth.password"])
    assert (await server.put("/connections/1", json={"auth": {**basic, "password": "p"}})).status == 200
    none = (await server.put("/connections/1", json={"auth": {"type": "none"}})).data
    assert none["auth"] == {"type": "none", "has_secret": False}


async def test_a_stored_secret_cannot_be_sent_elsewhere(server: World) -> None:
    await create(server, allowed_hosts=["shop.example.com", "*.shop.example.com"])
    for elsewhere in (
        {"base_url": "https://evil.example", "allowed_hosts": ["evil.example"]},
        {"allowed_hosts": ["shop.example.com", "evil.example"]},
    ):
        answer = await server.put("/connections/1", json=elsewhere)
        assert (answer.status, list(answer.json()["errors"])) == (422, ["auth.token"])
    fewer = await server.put("/connections/1", json={"allowed_hosts": ["shop.example.com"]})
    assert fewer.status == 200
    moved = {"base_url": "https://new.example.com"}
    assert (await server.put("/connections/1", json=moved)).status == 422
    again = await server.put("/connections/1", json={**moved, "auth": SHOP["auth"]})
    assert again.data["allowed_hosts"] == ["new.example.com"]


async def test_a_connection_in_use_stays(server: World) -> None:
    for _ in range(11):
        await create(server)
    config = {"direction": "receive", "url": "/orders", "connection_id": 11}
    flow = await server.flow({"microservice": "connector", "config": config})
    answer = await server.delete("/connections/11")
    assert (answer.status, list(answer.json()["errors"])) == (422, ["connection"])
    assert f'flow {flow.id} "Orders"' in answer.json()["message"]
    assert (await server.delete("/connections/1")).json() == {"message": "Connection 1 was deleted."}
    await server.put(flow.path, json={"deployed_at": None})
    assert (await server.delete("/connections/11")).status == 200
    assert (await server.get("/connections/11")).status == 404


async def test_connections_belong_to_their_company_and_to_managers(server: World) -> None:
    await create(server)
    other = {"key": server.other_key}
    assert (await server.get("/connections", **other)).data == []
    assert (await server.get("/connections/1", **other)).status == 404
    assert (await server.put("/connections/1", json={"name": "x"}, **other)).status == 404
    assert (await server.delete("/connections/1", **other)).status == 404
    user = {"key": await server.token("user")}
    assert (await server.post("/connections", json=SHOP, **user)).status == 403
    assert (await server.put("/connections/1", json={"name": "x"}, **user)).status == 403
    assert (await server.delete("/connections/1", **user)).status == 403


async def test_a_connection_of_another_company_is_in_no_step(server: World) -> None:
    await create(server)
    theirs = (await server.post("/connections", json=SHOP, key=server.other_key)).data["id"]
    flow = await server.flow(deploy=False)
    config = {"direction": "receive", "url": "/orders", "connection_id": 1}
    step = await flow.add("connector", config=config)
    foreign = {"config": {**config, "connection_id": theirs}}
    put = {"microservice": "connector", "parent_id": step["id"], **foreign}
    for answer in (
        await server.post(f"{flow.graph}/steps", json=put),
        await server.patch(f"{flow.graph}/steps/{step['id']}", json=foreign),
    ):
        assert (answer.status, list(answer.json()["errors"])) == (422, ["config.connection_id"])


async def test_oauth_shows_what_is_not_secret_and_allows_the_host_of_its_tokens(server: World) -> None:
    answer = await create(server, auth={**REFRESH, "scope": "orders", "credentials_in": "header"})
    assert answer.data["auth"] == {
        "type": "oauth2_refresh_token",
        "token_url": "https://login.example.com/token",
        "client_id": "flowloom",
        "scope": "orders",
        "credentials_in": "header",
        "has_secret": True,
    }
    assert answer.data["allowed_hosts"] == ["shop.example.com", "login.example.com"]
    assert b"s3cret" not in answer.body
    assert (await stored(server, 1)).secret == {
        "refresh_token": "s3cret-refresh",
        "client_secret": "s3cret-client",
    }
    moved = {"base_url": "https://shop.example.com/v2"}
    assert (await server.put("/connections/1", json=moved)).data["allowed_hosts"] == [
        "shop.example.com",
        "login.example.com",
    ]


async def test_one_of_several_secrets_changes_alone(server: World) -> None:
    await create(server, auth=REFRESH)
    shown = {name: value for name, value in REFRESH.items() if name not in ("client_secret", "refresh_token")}
    for sent in ({**shown, "refresh_token": "new-refresh"}, shown):
        assert (await server.put("/connections/1", json={"auth": sent})).status == 200
    assert (await stored(server, 1)).secret == {
        "refresh_token": "new-refresh",
        "client_secret": "s3cret-client",
    }


@pytest.mark.parametrize(
    "token_url", ["https://evil.example/token", "http://login.example.com/token", "https://shop.example.com"]
)
async def test_stored_secrets_do_not_follow_another_token_url(server: World, token_url: str) -> None:
    await create(server, auth=OAUTH)
    shown = {**{name: value for name, value in OAUTH.items() if name != "client_secret"}}
    answer = await server.put("/connections/1", json={"auth": {**shown, "token_url": token_url}})
    if token_url == "https://shop.example.com":
        assert answer.status == 200  # a host that was allowed to have it before
        return
    assert (answer.status, list(answer.json()["errors"])) == (422, ["auth.client_secret"])


async def test_limits_are_kept_shown_and_taken_away(server: World) -> None:
    limits = {
        "rate_limit": {"per_minute": 30, "burst": None},
        "circuit_breaker": {"failures": 5, "pause_seconds": 60},
    }
    made = (await create(server, **limits)).data
    assert made["rate_limit"] == {"per_minute": 30, "burst": 1}
    assert (made["circuit_breaker"], made["circuit"]) == (limits["circuit_breaker"], {"state": "closed"})
    assert (await server.get("/connections/1")).data == made
    renamed = (await server.put("/connections/1", json={"name": "Store"})).data
    assert renamed == {**made, "name": "Store"}
    gone = (await server.put("/connections/1", json=dict.fromkeys(limits))).data
    assert not {"rate_limit", "circuit_breaker", "circuit"} & set(gone)


async def test_a_variable_stays_while_a_deployed_step_names_it(server: World) -> None:
    shop = {"name": "Shop", "base_url": "https://shop.test", "variables": {"shop": "A", "other": 1}}
    id = (await server.post("/connections", json=shop)).data["id"]
    config = {"direction": "send", "connection_id": id, "url": "/s?shop={{shop}}", "body": {"s": "{{shop}}"}}
    flow = await server.flow({"microservice": "connector", "config": config})
    answer = await server.put(f"/connections/{id}", json={"variables": {}})
    assert (answer.status, list(answer.json()["errors"])) == (422, ["variables"])
    assert "'shop' is used by the Deployed version 1" in answer.json()["message"]
    changed = await server.put(f"/connections/{id}", json={"variables": {"shop": "B"}})
    assert changed.data["variables"] == {"shop": "B"}
    await server.put(flow.path, json={"deployed_at": None})
    assert (await server.put(f"/connections/{id}", json={"variables": {}})).status == 200
