"""OpenAPI documents as connectors."""

from __future__ import annotations

from typing import Any

import pytest

from flowloom.domain import openapi
from flowloom.domain.imported import Sketch

LIST = {"type": "array", "items": {"type": "object"}}


def read(**fields: Any) -> Sketch:
    return openapi.read({"openapi": "3.1.0", "info": {"title": "Shop"}, **fields})


def operation(
    node: dict[str, Any], method: str = "get", path: str = "/orders", **fields: Any
) -> dict[str, Any]:
    """The endpoint that one operation becomes."""
    sketch = read(paths={path: {method: node}}, **fields)
    (endpoint,) = sketch.endpoints
    return endpoint


def answering(schema: dict[str, Any], *parameters: dict[str, Any], **answer: Any) -> dict[str, Any]:
    response = {"content": {"application/json": {"schema": schema}}, **answer}
    return {"responses": {"200": response}, "parameters": list(parameters)}


def query(name: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": "string", **schema}}


def test_the_document_names_the_system() -> None:
    sketch = read(
        info={"title": " Shop\nAPI ", "description": "All orders"},
        servers=[
            {
                "url": "https://{region}.shop.example.com/v1/",
                "variables": {"region": {"default": "eu", "description": "Where"}},
            },
            {"url": "https://test.shop.example.com"},
        ],
    )
    assert (sketch.name, sketch.description) == ("Shop API", "All orders")
    assert sketch.base_url == "https://{{region}}.shop.example.com/v1"
    assert sketch.variables == {"region": {"name": "region", "default": "eu", "description": "Where"}}
    assert "https://test.shop.example.com" in sketch.warnings[0]


@pytest.mark.parametrize(
    ("fields", "base_url"),
    [
        ({"servers": [{"url": "/v2/"}]}, "https://{{host}}/v2"),
        ({"servers": [{"url": "/"}]}, "https://{{host}}"),
        ({"servers": [{"url": "http://shop.test:8080?x=1"}]}, "http://shop.test:8080"),
        ({}, None),
        ({"servers": [7, {"url": 7}]}, None),
        (
            {"swagger": "2.0", "host": "shop.test", "basePath": "/v1", "schemes": ["http"]},
            "http://shop.test/v1",
        ),
        ({"swagger": "2.0", "host": "shop.test", "schemes": ["http", "https"]}, "https://shop.test"),
        ({"swagger": "2.0", "basePath": "/v1"}, "https://{{host}}/v1"),
    ],
)
def test_where_the_system_is(fields: dict[str, Any], base_url: str | None) -> None:
    assert read(**fields).base_url == base_url


CLIENT = {"tokenUrl": "https://shop.test/token", "scopes": {"read": "", "write": ""}}


@pytest.mark.parametrize(
    ("scheme", "auth"),
    [
        ({"type": "http", "scheme": "Bearer"}, {"type": "bearer"}),
        ({"type": "http", "scheme": "basic"}, {"type": "basic"}),
        ({"type": "basic"}, {"type": "basic"}),
        ({"type": "apiKey", "in": "header", "name": "X-Key"}, {"type": "header", "name": "X-Key"}),
        ({"type": "apiKey", "in": "query", "name": "key"}, {"type": "none"}),
        ({"type": "openIdConnect", "openIdConnectUrl": "https://shop.test"}, {"type": "bearer"}),
        (
            {"type": "oauth2", "flows": {"clientCredentials": CLIENT}},
            {
                "type": "oauth2_client_credentials",
                "token_url": "https://shop.test/token",
                "scope": "read write",
            },
        ),
        (
            {"type": "oauth2", "flow": "application", "tokenUrl": "https://shop.test/token"},
            {"type": "oauth2_client_credentials", "token_url": "https://shop.test/token"},
        ),
        (
            {
                "type": "oauth2",
                "flows": {"authorizationCode": {"refreshUrl": "https://shop.test/refresh", **CLIENT}},
            },
            {"type": "oauth2_refresh_token", "token_url": "https://shop.test/refresh", "scope": "read write"},
        ),
        ({"type": "oauth2", "flows": {"implicit": {}}}, {"type": "bearer"}),
        ({"$ref": "#/components/securitySchemes/one"}, {"type": "none"}),
        ("bearer", {"type": "none"}),
    ],
)
def test_how_one_authenticates(scheme: Any, auth: dict[str, str]) -> None:
    assert read(components={"securitySchemes": {"one": scheme}}).auth == auth


def test_the_scheme_that_is_asked_for_is_taken() -> None:
    schemes = {
        "key": {"type": "apiKey", "in": "header", "name": "K"},
        "token": {"type": "http", "scheme": "bearer"},
    }
    components = {"securitySchemes": schemes}
    assert read(components=components, security=[{"token": []}]).auth == {"type": "bearer"}
    asking = {"/orders": {"get": {"security": [{"token": []}]}}}
    assert read(components=components, paths=asking).auth == {"type": "bearer"}
    assert read(components=components).auth == {"type": "header", "name": "K"}


def test_parameters_of_operation_and_path() -> None:
    shared = [
        {"name": "orderId", "in": "path", "required": True},
        {"$ref": "#/components/parameters/Tenant"},
        {"name": "Authorization", "in": "header", "required": True},
    ]
    own = [
        {**query("status", enum=["open", "done"]), "required": True},
        {**query("since"), "required": True},
        query("fields"),
        {"name": "session", "in": "cookie"},
    ]
    sketch = read(
        paths={"/orders/{orderId}": {"get": {"parameters": own}, "parameters": shared}},
        components={"parameters": {"Tenant": {"name": "X-Tenant", "in": "header", "required": True}}},
    )
    (endpoint,) = sketch.endpoints
    assert endpoint == {
        "key": "get-orders-orderId",
        "name": "GET /orders/{orderId}",
        "description": "Also takes in the query: fields.",
        "direction": "receive",
        "method": "GET",
        "path": "/orders/[[payload.orderId]]",
        "query": {"status": "open", "since": "[[payload.since]]"},
        "headers": {"X-Tenant": "[[payload.X-Tenant]]"},
    }
    assert "cookies were left out" in sketch.warnings[-1]


@pytest.mark.parametrize(
    ("schema", "records"),
    [
        (LIST, None),
        ({"properties": {"data": LIST, "errors": LIST}}, "data"),
        ({"properties": {"orders": LIST, "total": {"type": "integer"}}}, "orders"),
        ({"properties": {"orders": LIST, "errors": LIST}}, None),
        ({"properties": {"_embedded": {"properties": {"orders": LIST}}}}, "_embedded.orders"),
        (
            {"allOf": [{"properties": {"meta": {}}}, {"properties": {"items": {"type": ["array", "null"]}}}]},
            "items",
        ),
        ({"oneOf": [{"type": "null"}, {"properties": {"items": LIST}}]}, "items"),
        ({"properties": "none"}, None),
    ],
)
def test_where_the_records_are(schema: dict[str, Any], records: str | None) -> None:
    assert operation(answering(schema)).get("records") == records


CURSORED = {"properties": {"data": LIST, "meta": {"properties": {"next_cursor": {"type": "string"}}}}}
NEXT = {"properties": {"data": LIST, "links": {"properties": {"next": {"type": "string"}}}}}


@pytest.mark.parametrize(
    ("node", "pagination"),
    [
        (
            answering(LIST, query("page"), query("per_page", maximum=50)),
            {"type": "page", "param": "page", "start": 1, "size_param": "per_page", "size": 50},
        ),
        (answering(LIST, query("Page", default=0)), {"type": "page", "param": "Page", "start": 0}),
        (
            answering(LIST, query("offset"), query("limit", default=20)),
            {"type": "offset", "param": "offset", "size_param": "limit", "size": 20},
        ),
        (answering(LIST, query("offset")), None),
        (
            answering(CURSORED, query("cursor")),
            {"type": "cursor", "param": "cursor", "cursor_path": "meta.next_cursor"},
        ),
        (answering(LIST, query("cursor")), None),
        (answering(NEXT), {"type": "next_url", "url_path": "links.next"}),
        (answering(LIST, headers={"Link": {}}), {"type": "link"}),
        (answering({"type": "object"}, query("page")), None),
    ],
)
def test_how_a_receive_gets_to_the_next_page(node: dict[str, Any], pagination: dict[str, Any] | None) -> None:
    assert operation(node).get("pagination") == pagination


def test_a_body_takes_the_fields_of_the_payload() -> None:
    order = {
        "allOf": [{"$ref": "#/components/schemas/Named"}],
        "properties": {
            "id": {"readOnly": True},
            "kind": {"const": "order"},
            "customer": {"properties": {"email": {}, "parent": {"$ref": "#/components/schemas/Order"}}},
            "lines": LIST,
            "odd.name": {},
        },
    }
    schemas = {"Order": order, "Named": {"properties": {"name": {"type": "string"}}}}
    node = {
        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}}
    }
    made = operation(node, "post", components={"schemas": schemas})
    assert (made["direction"], made["method"]) == ("send", "POST")
    assert made["body"] == {
        "kind": "order",
        "customer": {"email": "[[payload.customer.email]]", "parent": "[[payload.customer.parent]]"},
        "lines": "[[payload.lines]]",
        "name": "[[payload.name]]",
    }


@pytest.mark.parametrize(
    ("node", "body"),
    [
        ({"requestBody": {"content": {"application/json": {"schema": LIST}}}}, None),
        ({"requestBody": {"content": {"application/json": {"example": {"a": 1}}}}}, {"a": 1}),
        (
            {"parameters": [{"name": "b", "in": "body", "schema": {"properties": {"a": {}}}}]},
            {"a": "[[payload.a]]"},
        ),
        ({"parameters": [{"name": "a b", "in": "formData"}]}, "a%20b=[[payload.a_b]]"),
        ({"requestBody": {"content": {"multipart/form-data": {}}}}, None),
        ({}, None),
    ],
)
def test_other_bodies(node: dict[str, Any], body: Any) -> None:
    assert operation(node, "post").get("body") == body


def test_keys_are_unique_and_operations_counted() -> None:
    item = {"get": {"operationId": "list"}, "post": {"operationId": "list"}, "trace": {}}
    sketch = read(paths={"/a": item, "/b": {"get": {"operationId": "a/b c"}}})
    assert [endpoint["key"] for endpoint in sketch.endpoints] == ["list", "list-2", "a-b-c"]
    many = read(paths={f"/{number}": {"get": {}} for number in range(2001)})
    assert len(many.endpoints) == 2000
    assert many.warnings[-1] == "Only the first 2,000 operations were kept."


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("https://elsewhere.example/schema.json", "is not in the document"),
        ("other.yaml#/Order", "is not in the document"),
        ("#/components/schemas/A", "leads in a circle"),
    ],
)
def test_references_lead_into_the_document_and_end(reference: str, said: str) -> None:
    schemas = {"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}}
    sketch = read(paths={"/a": {"get": answering({"$ref": reference})}}, components={"schemas": schemas})
    assert said in sketch.warnings[-1]


def test_long_names_are_kept_apart() -> None:
    sketch = read(paths={f"/{number}": {"get": {"operationId": "x" * 300}} for number in range(2000)})
    assert len({endpoint["key"] for endpoint in sketch.endpoints}) == 2000
    assert max(len(endpoint["key"]) for endpoint in sketch.endpoints) <= 100


def test_schemas_that_are_too_intricate_are_not_followed_for_ever() -> None:
    names = [*(f"p{number}" for number in range(300)), "data", "result", "meta", "links"]
    itself = {"$ref": "#/components/schemas/Web"}
    web = {"properties": dict.fromkeys(names, itself), "allOf": [itself] * 20}
    node = answering(itself)
    sketch = read(
        paths={f"/{number}": {"get": node} for number in range(1500)}, components={"schemas": {"Web": web}}
    )
    assert len(sketch.endpoints) == 1500
    assert any("too intricate" in text for text in sketch.warnings)


def test_circles_of_schemas_end() -> None:
    wide = {f"p{number}": {"$ref": "#/components/schemas/Wide"} for number in range(500)}
    schemas = {
        "Wide": {"properties": wide, "allOf": [{"$ref": "#/components/schemas/Wide"}] * 500},
        "Any": {"anyOf": [{"$ref": "#/components/schemas/Any"}]},
    }
    body = {
        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Wide"}}}}
    }
    node = {**answering({"$ref": "#/components/schemas/Any"}), **body}
    assert len(operation(node, "post", components={"schemas": schemas})["body"]) <= 100
