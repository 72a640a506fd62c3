"""Connectors: what their documents take, and what connections and steps take from them."""

from __future__ import annotations

from typing import Any

import pytest
from tests import shop_connector
from tests.asgi import Answer
from tests.world import World

SECRET = {"type": "header", "value": "s3cret"}
OAUTH = {
    "type": "oauth2_client_credentials",
    "token_url": "https://{{region}}.login.example.com/token",
    "client_id": "flowloom",
    "scope": "orders",
    "credentials_in": "header",
}


async def create(server: World, document: dict[str, Any] | None = None) -> Answer:
    made = {"name": "Shop", "document": shop_connector.document() if document is None else document}
    return await server.post("/connectors", json=made)


async def connect(server: World, **fields: Any) -> Answer:
    wanted = {"name": "EU", "connector_id": 1, "auth": SECRET, "variables": {"store": 7}, **fields}
    return await server.post("/connections", json=wanted)


async def test_a_connector_is_created_listed_read_changed_and_deleted(server: World) -> None:
    made = (await create(server)).data
    times = {
        "created_at": "2026-03-02T10:00:00.000000Z",
        "updated_at": "2026-03-02T10:00:00.000000Z",
    }
    summary = {"id": 1, "name": "Shop", "description": "", "endpoints_count": 2, **times}
    assert {**made, "document": None} == {**summary, "document": None}
    assert (made["document"]["base_url"], len(made["document"]["endpoints"])) == (
        "https://{{region}}.shop.example.com/v1",
        2,
    )
    reader = server.bearer("read-only")
    assert (await server.get("/connectors/1", key=reader)).data == made
    assert (await server.get("/connectors", key=reader)).data == [summary]
    await server.post("/connectors", json={"name": "Empty"})
    listed = await server.get("/connectors", query={"sort": "-endpoints_count", "filter[name]": "Shop,Empty"})
    assert [one["name"] for one in listed.data] == ["Shop", "Empty"]
    again = await server.put("/connectors/1", json={"document": made["document"]})
    assert again.data == made
    changed = (await server.put("/connectors/1", json={"name": "Store", "description": "All of it"})).data
    assert (changed["name"], changed["description"]) == ("Store", "All of it")
    assert changed["document"] == made["document"]
    assert (await server.delete("/connectors/1")).json() == {"message": "Connector 1 was deleted."}
    assert (await server.get("/connectors/1")).status == 404


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"base_url": "ftp://shop.example.com"}, "document.base_url"),
        ({"base_url": "/v1"}, "document.base_url"),
        ({"base_url": "https://jo:pw@shop.example.com"}, "document.base_url"),
        ({"base_url": "https://shop.example.com?a=1"}, "document.base_url"),
        ({"base_url": "https://shop.example.com/[[payload.id]]"}, "document.base_url"),
        ({"base_url": "https://{{missing}}.example.com"}, "document.base_url"),
        ({"base_url": "https://{{a b}}.example.com"}, "document.base_url"),
        ({"base_url": 1}, "document.base_url"),
        ({"auth": {"type": "bearer", "token": "s3cret"}}, "document.auth.token"),
        ({"auth": {"type": "bearer", "name": "X-Key"}}, "document.auth.name"),
        ({"auth": {"type": "header", "name": "X Key"}}, "document.auth.name"),
        ({"auth": {"type": "oauth2_client_credentials", "token_url": "/token"}}, "document.auth.token_url"),
        (
            {"auth": {"type": "oauth2_refresh_token", "token_url": "https://login.example.com/token?a=b"}},
            "document.auth.token_url",
        ),
        ({"auth": {"type": "oauth2_refresh_token", "audience": "shop"}}, "document.auth.audience"),
        ({"auth": {"type": "oauth1"}}, "document.auth.type"),
        ({"headers": {"X A": "1"}}, "document.headers.X A"),
        ({"headers": {"X-A": "a\r\nb"}}, "document.headers.X-A"),
        ({"headers": {"X-A": "{{missing}}"}}, "document.headers.X-A"),
        ({"variables": [{"name": "a b"}]}, "document.variables.0.name"),
        ({"variables": [{"name": "a"}, {"name": "a"}]}, "document.variables.1.name"),
        ({"timeout_seconds": 0}, "document.timeout_seconds"),
        ({"more": 1}, "document.more"),
    ],
)
async def test_bad_documents_are_refused_where_they_are_bad(
    sqlite_server: World, document: dict[str, Any], field: str
) -> None:
    answer = await create(sqlite_server, document)
    assert (answer.status, list(answer.json()["errors"])) == (422, [field])


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"key": "a b"}, "key"),
        ({"direction": "both"}, "direction"),
        ({"method": "BREW"}, "method"),
        ({"path": "orders"}, "path"),
        ({"path": "https://elsewhere.example"}, "path"),
        ({"path": "/[[order.id]]"}, "path"),
        ({"query": {"a": "{{a b}}"}}, "query.a"),
        ({"query": {"a": [1]}}, "query.a"),
        ({"body": {"a": ["[[order]]"]}}, "body.a.0"),
        ({"pagination": {"type": "offset"}}, "pagination.size"),
        ({"pagination": {"type": "cursor", "param": "c", "cursor_path": "a..b"}}, "pagination.cursor_path"),
        ({"pagination": {"type": "pages"}}, "pagination"),
        ({"direction": "send"}, "pagination"),
        ({"records": "a..b"}, "records"),
        ({"response_format": "yaml"}, "response_format"),
        ({"response_format": "text"}, "response_format"),
        ({"connection_id": 1}, "connection_id"),
    ],
)
async def test_an_endpoint_must_be_one_that_a_step_could_have(
    sqlite_server: World, fields: dict[str, Any], place: str
) -> None:
    answer = await create(sqlite_server, shop_connector.endpoint(**fields))
    assert answer.status == 422, answer.body
    found = {name.removeprefix("document.endpoints.0.") for name in answer.json()["errors"]}
    assert place in found or {name.partition(".")[0] for name in found} == {place}, answer.body


async def test_two_endpoints_have_two_keys(sqlite_server: World) -> None:
    twice = shop_connector.document()
    twice["endpoints"][1]["key"] = "orders.list"
    answer = await create(sqlite_server, twice)
    assert list(answer.json()["errors"]) == ["document.endpoints.1.key"]


async def test_a_connection_takes_what_it_lacks_from_its_connector(server: World) -> None:
    await create(server)
    made = (await connect(server)).data
    assert made["base_url"] == "https://eu.shop.example.com/v1"
    assert made["allowed_hosts"] == ["eu.shop.example.com"]
    assert made["auth"] == {"type": "header", "name": "X-Key", "has_secret": True}
    assert made["headers"] == {"X-Region": "eu"}
    assert made["timeout_seconds"] == 20
    assert (made["connector_id"], made["variables"]) == (1, {"region": "eu", "store": 7})
    own = await connect(
        server,
        variables={"region": "us"},
        headers={"X-Region": "us-east", "X-Own": "1"},
        auth={"type": "bearer", "token": "s3cret"},
        timeout_seconds=5,
        base_url="https://own.example.com",
    )
    assert own.data["headers"] == {"X-Region": "us-east", "X-Own": "1"}
    assert own.data["auth"] == {"type": "bearer", "has_secret": True}
    assert (own.data["timeout_seconds"], own.data["allowed_hosts"]) == (5, ["own.example.com"])
    listed = await server.get("/connections", query={"filter[connector_id]": "1"})
    assert [one["id"] for one in listed.data] == [1, 2]


async def test_the_kind_of_authentication_need_not_be_said_again(server: World) -> None:
    await create(server)
    made = await connect(server, auth={"value": "s3cret"})
    assert made.data["auth"] == {"type": "header", "name": "X-Key", "has_secret": True}
    without = await server.post("/connections", json={"name": "Any", "auth": {"value": "s3cret"}})
    assert (without.status, list(without.json()["errors"])) == (422, ["auth.type"])


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"connector_id": 2}, "connector_id"),
        ({"auth": None}, "auth.value"),
        ({"variables": {"a b": 1}}, "variables.a b"),
        ({"variables": {"store": [1]}}, "variables.store"),
        ({"variables": {"region": "eu?x="}}, "base_url"),
        ({"variables": {"region": "jo:pw@eu"}}, "base_url"),
        ({"variables": {"region": "eu\r\n"}}, "base_url"),
    ],
)
async def test_what_a_connection_cannot_take_is_named(
    sqlite_server: World, fields: dict[str, Any], field: str
) -> None:
    await create(sqlite_server)
    answer = await connect(sqlite_server, **fields)
    assert answer.status == 422
    assert list(answer.json()["errors"]) == [field]


async def test_a_variable_without_default_must_be_given(sqlite_server: World) -> None:
    await create(sqlite_server, shop_connector.document(variables=[{"name": "region"}, {"name": "store"}]))
    answer = await connect(sqlite_server)
    assert (answer.status, list(answer.json()["errors"])) == (422, ["variables.region"])
    assert (await connect(sqlite_server, variables={"region": "us"})).status == 200


async def test_another_variable_that_leads_elsewhere_needs_the_secret_again(server: World) -> None:
    await create(server)
    await connect(server)
    moved = {"variables": {"region": "us"}}
    answer = await server.put("/connections/1", json=moved)
    assert (answer.status, list(answer.json()["errors"])) == (422, ["auth.value"])
    changed = await server.put("/connections/1", json={**moved, "auth": SECRET})
    assert changed.data["allowed_hosts"] == ["us.shop.example.com"]
    assert changed.data["headers"] == {"X-Region": "us"}
    kept = await server.put("/connections/1", json={"variables": {"region": "us", "store": 8}})
    assert kept.data["auth"]["has_secret"]
    assert kept.data["variables"] == {"region": "us", "store": 8}


async def test_connections_follow_their_connector_but_for_what_is_their_own(server: World) -> None:
    await create(server)
    await connect(server)
    await connect(server, headers={"X-Region": "own"}, timeout_seconds=5)
    whole = (await server.get("/connections/1")).data
    assert (await server.put("/connections/1", json={**whole, "auth": {"type": "header"}})).data == whole
    new = shop_connector.document(
        base_url="https://{{region}}.shop.example.com/v2", headers={"X-New": "1"}, timeout_seconds=30
    )
    assert (await server.put("/connectors/1", json={"document": new})).status == 200
    first, second = (await server.get("/connections")).data
    assert (first["base_url"], first["timeout_seconds"]) == ("https://eu.shop.example.com/v2", 30)
    assert first["headers"] == {"X-New": "1"}
    assert first["auth"]["has_secret"]
    assert (second["headers"], second["timeout_seconds"]) == ({"X-New": "1", "X-Region": "own"}, 5)


async def test_a_connection_has_the_default_of_a_variable_that_is_new(server: World) -> None:
    await create(server)
    await connect(server)
    variables = [*shop_connector.DOCUMENT["variables"], {"name": "release", "default": "v3"}]
    new = shop_connector.document(
        base_url="https://{{region}}.shop.example.com/{{release}}", variables=variables
    )
    assert (await server.put("/connectors/1", json={"document": new})).status == 200
    made = (await server.get("/connections/1")).data
    assert made["base_url"] == "https://eu.shop.example.com/v3"
    assert made["variables"] == {"region": "eu", "store": 7, "release": "v3"}


async def test_oauth_of_a_connector_lacks_only_what_is_secret(server: World) -> None:
    await create(server, shop_connector.document(auth=OAUTH))
    lacking = await connect(server, auth=None)
    assert (lacking.status, list(lacking.json()["errors"])) == (422, ["auth.client_secret"])
    made = (await connect(server, auth={"client_secret": "s3cret"})).data
    told = {**OAUTH, "token_url": "https://eu.login.example.com/token"}
    assert made["auth"] == {**told, "has_secret": True}
    assert made["allowed_hosts"] == ["eu.shop.example.com", "eu.login.example.com"]
    own = await connect(server, auth={"client_id": "own", "client_secret": "s3cret"})
    assert own.data["auth"] == {**told, "client_id": "own", "has_secret": True}


async def test_connections_follow_the_oauth_of_their_connector(server: World) -> None:
    await create(server, shop_connector.document(auth=OAUTH))
    await connect(server, auth={"client_id": "own", "client_secret": "s3cret"})
    wider = shop_connector.document(auth={**OAUTH, "client_id": "other", "scope": "orders stock"})
    assert (await server.put("/connectors/1", json={"document": wider})).status == 200
    auth = (await server.get("/connections/1")).data["auth"]
    assert (auth["client_id"], auth["scope"], auth["has_secret"]) == ("own", "orders stock", True)
    moved = shop_connector.document(auth={**OAUTH, "token_url": "https://evil.example/token"})
    answer = await server.put("/connectors/1", json={"document": moved})
    assert (answer.status, list(answer.json()["errors"])) == (422, ["document"])
    assert (await server.get("/connections/1")).data["auth"] == auth


@pytest.mark.parametrize(
    "change",
    [
        {"base_url": "https://evil.example"},
        {"base_url": "http://{{region}}.shop.example.com"},
        {"auth": {"type": "bearer"}},
    ],
)
async def test_a_connector_cannot_send_the_secret_of_a_connection_elsewhere(
    server: World, change: dict[str, Any]
) -> None:
    await create(server)
    await connect(server)
    before = [(await server.get(path)).data for path in ("/connectors/1", "/connections/1")]
    answer = await server.put("/connectors/1", json={"document": shop_connector.document(**change)})
    assert (answer.status, list(answer.json()["errors"])) == (422, ["document"])
    assert 'Connection 1 "EU"' in answer.json()["message"]
    assert [(await server.get(path)).data for path in ("/connectors/1", "/connections/1")] == before
    await server.put("/connections/1", json={"connector_id": None})
    freed = await server.put("/connectors/1", json={"document": shop_connector.document(**change)})
    assert freed.status == 200
    kept = (await server.get("/connections/1")).data
    assert (kept["base_url"], kept.get("connector_id")) == ("https://eu.shop.example.com/v1", None)


async def test_a_connector_in_use_stays(server: World) -> None:
    await create(server)
    await connect(server)
    answer = await server.delete("/connectors/1")
    assert (answer.status, list(answer.json()["errors"])) == (422, ["connector"])
    assert 'connection 1 "EU"' in answer.json()["message"]
    await server.delete("/connections/1")
    assert (await server.delete("/connectors/1")).status == 200


async def test_a_connector_of_another_company_serves_no_connection(server: World) -> None:
    await create(server)
    answer = await server.post("/connections", json={"name": "Mine", "connector_id": 1}, key=server.other_key)
    assert (answer.status, list(answer.json()["errors"])) == (422, ["connector_id"])
