"""Secret variables of connections: given by name, never answered, and bound to the hosts they were given for."""

from __future__ import annotations

from typing import Any

import pytest
from tests.asgi import Answer
from tests.world import World

from flowloom.store import connections

TOKEN, OTHER = "tok-4f9a8b7c6d5e", "tok-another-one"
SHOP = {"name": "Shop", "base_url": "https://shop.example.com/api"}
SERVER = {"host": "db.example.com", "username": "u", "password": "p", "database": "d"}
CONNECTOR = {
    "base_url": "https://{{shop}}.example.com",
    "variables": [{"name": "shop", "default": "nl"}, {"name": "token", "is_secret": True}],
    "endpoints": [
        {
            "key": "orders",
            "name": "Orders",
            "direction": "receive",
            "path": "/orders",
            "query": {"key": "{{token}}"},
        }
    ],
}


async def create(server: World, **fields: Any) -> Answer:
    return await server.post("/connections", json={**SHOP, **fields})


async def change(server: World, **fields: Any) -> Answer:
    return await server.put("/connections/1", json=fields)


async def values(server: World) -> dict[str, str]:
    platform = server.platform
    found: connections.Connection = await platform.database.read(connections.load, platform.vault, 1, 1)
    return dict(found.secret_variables)


async def test_secrets_are_answered_by_name_only(server: World) -> None:
    made = await create(server, secrets={"token": TOKEN, "a": OTHER}, variables={"shop": "nl"})
    assert (made.data["secrets"], made.data["variables"]) == (["a", "token"], {"shop": "nl"})
    for path in ("/connections", "/connections/1"):
        found = await server.get(path, key=await server.token("read-only"))
        assert TOKEN.encode() not in found.body
        assert b'"secrets":["a","token"]' in found.body
    assert await values(server) == {"token": TOKEN, "a": OTHER}


async def test_given_secrets_replace_the_set_and_null_keeps_a_value(server: World) -> None:
    await create(server, secrets={"token": TOKEN, "a": OTHER})
    await change(server, name="Renamed")
    assert await values(server) == {"token": TOKEN, "a": OTHER}
    await change(server, secrets={"token": None, "b": OTHER})
    assert await values(server) == {"token": TOKEN, "b": OTHER}
    assert "secrets" not in (await change(server, secrets={})).data
    assert await values(server) == {}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"secrets": {"token": "short"}}, "secrets.token"),
        ({"secrets": {"token": None}}, "secrets.token"),
        ({"secrets": {"to ken": TOKEN}}, "secrets.to ken"),
        ({"secrets": {"token": TOKEN}, "variables": {"token": "open"}}, "secrets.token"),
        ({"secrets": {"token": TOKEN}, "base_url": None}, "allowed_hosts"),
    ],
)
async def test_what_is_refused(sqlite_server: World, fields: dict[str, Any], field: str) -> None:
    answer = await create(sqlite_server, **fields)
    assert (answer.status, list(answer.json()["errors"])) == (422, [field])
    assert TOKEN.encode() not in answer.body


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"base_url": "https://evil.example.net"},
        {"allowed_hosts": ["shop.example.com", "evil.example.net"]},
        {"base_url": "http://shop.example.com/api"},
    ],
)
async def test_a_secret_goes_to_no_other_host_than_it_was_given_for(
    sqlite_server: World, elsewhere: dict[str, Any]
) -> None:
    await create(sqlite_server, secrets={"token": TOKEN})
    for secrets in ({}, {"secrets": {"token": None}}):
        answer = await change(sqlite_server, **elsewhere, **secrets)
        assert (answer.status, list(answer.json()["errors"])) == (422, ["secrets.token"])
    assert (await change(sqlite_server, **elsewhere, secrets={"token": TOKEN})).status == 200
    assert (await change(sqlite_server, auth={"type": "bearer", "token": OTHER})).data["secrets"] == ["token"]


async def test_a_connection_over_another_protocol_has_no_secret_variables(sqlite_server: World) -> None:
    fields = {"name": "Books", "protocol": "postgresql", "server": SERVER, "secrets": {"token": TOKEN}}
    answer = await sqlite_server.post("/connections", json=fields)
    assert (answer.status, list(answer.json()["errors"])) == (422, ["secrets"])


async def test_a_connector_says_which_variables_are_secret(sqlite_server: World) -> None:
    made = (await sqlite_server.post("/connectors", json={"name": "Shop", "document": CONNECTOR})).data
    fields = {"name": "Shop", "connector_id": made["id"]}
    openly = await sqlite_server.post("/connections", json={**fields, "variables": {"token": TOKEN}})
    assert (openly.status, list(openly.json()["errors"])) == (422, ["variables.token"])
    closed = await sqlite_server.post("/connections", json={**fields, "secrets": {"token": TOKEN}})
    assert (closed.data["secrets"], closed.data["variables"]) == (["token"], {"shop": "nl"})
    kept = await sqlite_server.put(f"/connections/{closed.data['id']}", json={"name": "Renamed"})
    assert kept.data["secrets"] == ["token"]


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"variables": [{"name": "token", "is_secret": True, "default": TOKEN}]}, "variables.0.default"),
        ({**CONNECTOR, "headers": {"X-Token": "{{token}}"}}, "headers.X-Token"),
        ({**CONNECTOR, "base_url": "https://{{token}}.example.com"}, "base_url"),
        ({**CONNECTOR, "auth": {"type": "basic", "username": "{{token}}"}}, "auth.username"),
    ],
)
async def test_a_connector_shows_no_secret(sqlite_server: World, document: Any, field: str) -> None:
    answer = await sqlite_server.post("/connectors", json={"name": "Shop", "document": document})
    assert (answer.status, list(answer.json()["errors"])) == (422, [f"document.{field}"])


async def test_a_default_of_the_connector_gives_way_to_a_secret(sqlite_server: World) -> None:
    document = {
        "base_url": "https://shop.example.com",
        "variables": [{"name": "token", "default": "for trying"}],
    }
    made = (await sqlite_server.post("/connectors", json={"name": "Shop", "document": document})).data
    fields = {"name": "Shop", "connector_id": made["id"], "secrets": {"token": TOKEN}}
    answer = await sqlite_server.post("/connections", json=fields)
    assert (answer.data["secrets"], "variables" in answer.data) == (["token"], False)
