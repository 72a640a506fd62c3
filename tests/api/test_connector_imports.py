"""Imports: documents from elsewhere become connectors, whatever they hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests import remote as remotes
from tests.remote import Seen
from tests.world import World

from flowloom import errors
from flowloom.domain import openapi, postman
from flowloom.domain.run import Status
from flowloom.services import connector_documents, connector_imports
from flowloom.services.connector_documents import ConnectorDocument

YAML = """
openapi: 3.0.3
info: {title: Shop, description: Orders}
servers: [{url: "http://127.0.0.1:{port}/v1", variables: {port: {default: "80"}}}]
security: [{key: []}]
paths:
  /orders:
    get:
      operationId: listOrders
      parameters:
        - {name: page, in: query, schema: {type: integer}}
      responses:
        200:
          content:
            application/json:
              schema: {type: object, properties: {data: {type: array, items: {}}}}
    post:
      operationId: createOrder
      requestBody:
        content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}
components:
  securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}
  schemas: {Order: {type: object, properties: {id: {}, related: {$ref: "#/components/schemas/Order"}}}}
"""
POSTMAN = {
    "info": {
        "name": "Shop",
        "schema": "https://schema.getpostman.com/json/collection/v2.0.0/collection.json",
    },
    "item": [{"name": "List", "request": "{{baseUrl}}/orders"}],
}


async def imported(server: World, document: Any, **fields: Any) -> Any:
    return await server.post("/connectors/import", json={"document": document, **fields})


async def test_an_openapi_document_runs_from_import_to_run(server: World) -> None:
    made = (await imported(server, YAML)).data
    assert (made["format"], made["name"], made["endpoints_count"]) == ("openapi", "Shop", 2)
    stored = (await server.get(f"/connectors/{made['connector_id']}")).data
    assert stored["document"] == made["document"]
    async with remotes.serving() as remote:
        connection = {
            "name": "Shop",
            "connector_id": made["connector_id"],
            "auth": {"value": "s3cret"},
            "variables": {"port": remote.port},
        }
        id = (await server.post("/connections", json=connection)).data["id"]

        async def answer(seen: Seen) -> web.Response:
            return web.json_response({"data": [{"id": 5}] if seen.query.get("page") == "1" else []})

        remote.answer = answer
        steps = [
            {"microservice": "connector", "config": {"connection_id": id, "endpoint": "listOrders"}},
            {"microservice": "split", "config": {"path": "."}},
            {"microservice": "connector", "config": {"connection_id": id, "endpoint": "createOrder"}},
        ]
        run = await (await server.flow(*steps)).run()
        assert run["status"] == Status.SUCCESS, run
        sent = remote.seen[-1]
    assert (sent.method, sent.path, sent.headers["x-key"]) == ("POST", "/v1/orders", "s3cret")
    assert sent.body == {"id": 5, "related": None}


async def test_a_dry_run_makes_nothing(server: World) -> None:
    made = (await imported(server, POSTMAN, dry_run=True, name="Mine", format="postman")).data
    assert (made["format"], made["name"], made.get("connector_id")) == ("postman", "Mine", None)
    assert made["document"]["endpoints"][0]["key"] == "List"
    assert (await server.get("/connectors")).data == []
    kept = await server.post("/connectors", json={"name": "Kept", "document": made["document"]})
    assert kept.data["document"] == made["document"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"document": {}}, "document"),
        ({"document": {"openapi": "4.0.0"}}, "document"),
        ({"document": "- a"}, "document"),
        ({"document": "a: &a [*a]"}, "document"),
        ({"document": POSTMAN, "format": "openapi"}, "document"),
        ({"document": YAML, "format": "postman"}, "document"),
        ({"document": YAML, "format": "wsdl"}, "format"),
        ({"document": YAML, "name": ""}, "name"),
        ({}, "document"),
    ],
)
async def test_what_is_no_such_document_is_refused(
    sqlite_server: World, fields: dict[str, Any], field: str
) -> None:
    answer = await sqlite_server.post("/connectors/import", json=fields)
    assert (answer.status, list(answer.json()["errors"])) == (422, [field])


async def test_a_document_over_8_mb_is_refused(sqlite_server: World) -> None:
    assert (await imported(sqlite_server, "a" * (8 * 1024 * 1024))).status == 413


def test_what_cannot_be_kept_goes_with_a_warning() -> None:
    document = {
        "openapi": "3.0.0",
        "servers": [{"url": "https://jo:pw@shop.test"}],
        "paths": {
            "/a": {"post": {"requestBody": {"content": {"application/json": {"example": {"a": "[[odd]]"}}}}}},
            "/b/{{odd": {"get": {}},
            "/c/[[odd]]": {"get": {}},
        },
    }
    made = connector_imports.read(document, None, None)
    assert [one["path"] for one in made.fields["document"]["endpoints"]] == ["/a", "/b/{{odd"]
    assert "base_url" not in made.fields["document"]
    said = " ".join(made.warnings)
    assert "The base_url could not be kept" in said
    assert "its body could not be kept" in said
    assert 'Endpoint "get-c-odd" was left out' in said


WORDS = st.sampled_from(
    [
        "openapi", "swagger", "info", "title", "servers", "url", "paths", "/a", "get", "post", "parameters",
        "name", "in", "query", "header", "schema", "properties", "items", "allOf", "anyOf", "$ref", "type",
        "array", "object", "requestBody", "content", "application/json", "responses", "200", "security",
        "components", "securitySchemes", "schemas", "oauth2", "flows", "item", "request", "method", "body",
        "mode", "raw", "urlencoded", "auth", "bearer", "variable", "key", "value", "#/paths", "#/components",
        "{{a}}", "[[payload.a]]", "[[a]]", "{{", "https://a.test/{b}", "3.0.0", "2.0", "required", "default",
        "enum", "page", "limit", "cursor", "variables", "host", "basePath", "example", "$guid", "{{$x}}",
    ]
)  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-5, 300)
    | st.floats(allow_nan=False)
    | WORDS
    | st.text(max_size=8)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=40,
)
OBJECTS = st.dictionaries(WORDS, VALUES, max_size=8)
METHODS = st.sampled_from(["get", "post", "put", "delete", "head", "patch", "trace"])
OPENAPI = st.fixed_dictionaries(
    {
        "openapi": st.just("3.0.0"),
        "paths": st.dictionaries(WORDS, st.dictionaries(METHODS | WORDS, OBJECTS, max_size=4), max_size=4),
    },
    optional={"components": VALUES, "servers": VALUES, "info": VALUES, "security": VALUES},
)
COLLECTIONS = st.fixed_dictionaries(
    {
        "info": OBJECTS.map(lambda found: {**found, "schema": "postman"}),
        "item": st.lists(st.fixed_dictionaries({"name": VALUES, "request": OBJECTS}) | VALUES, max_size=4),
    },
    optional={"auth": VALUES, "variable": VALUES},
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(OPENAPI | COLLECTIONS | OBJECTS)
def test_any_object_is_refused_or_becomes_a_valid_connector(document: dict[str, Any]) -> None:
    document = json.loads(json.dumps(document))
    if not (openapi.is_one(document) or postman.is_one(document)):
        with pytest.raises(errors.Invalid, match="The document is not"):
            connector_imports.read(document, None, None)
        return
    made = connector_imports.read(document, None, None)
    fields = made.fields
    kept = connector_documents.kept(ConnectorDocument.model_validate(fields["document"], strict=True))
    assert kept == fields["document"]
    assert 1 <= len(fields["name"]) <= 255
    assert len(made.warnings) <= 101
