"""Postman collections as connectors."""

from __future__ import annotations

from typing import Any

import pytest

from flowloom.domain import postman
from flowloom.domain.imported import Sketch

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"


def read(*items: Any, **fields: Any) -> Sketch:
    return postman.read({"info": {"name": "Shop", "schema": SCHEMA}, "item": list(items), **fields})


def item(url: Any = "{{baseUrl}}/orders", **request: Any) -> dict[str, Any]:
    return {"name": "Orders", "request": {"method": "GET", "url": url, **request}}


def endpoint(url: Any = "{{baseUrl}}/orders", **request: Any) -> dict[str, Any]:
    (found,) = read(item(url, **request)).endpoints
    return found


def test_a_collection_with_folders_becomes_a_connector() -> None:
    folder = {"name": "Sales", "item": [item(), {"name": "New", "item": [item(method="POST")]}]}
    sketch = read(
        folder,
        info={"name": "Shop", "description": {"content": "All of it"}, "schema": SCHEMA},
        variable=[
            {"key": "baseUrl", "value": "https://shop.test/v1"},
            {"key": "apiToken", "value": "s3cret"},
            {"key": "page", "value": 3, "type": "secret"},
            {"key": "old", "value": "1", "disabled": True},
        ],
    )
    assert (sketch.name, sketch.description, sketch.base_url) == ("Shop", "All of it", "{{baseUrl}}")
    assert [(one["key"], one["name"], one["direction"], one["path"]) for one in sketch.endpoints] == [
        ("Sales-Orders", "Sales / Orders", "receive", "/orders"),
        ("Sales-New-Orders", "Sales / New / Orders", "send", "/orders"),
    ]
    assert sketch.variables == {
        "baseUrl": {"name": "baseUrl", "default": "https://shop.test/v1"},
        "apiToken": {"name": "apiToken"},
        "page": {"name": "page"},
    }
    assert "s3cret" not in f"{sketch}"


@pytest.mark.parametrize(
    ("url", "base_url", "path"),
    [
        ("https://shop.test:8443/v1/orders?a=1#x", "https://shop.test:8443", "/v1/orders"),
        ("https://{{region}}.shop.test/orders", "https://{{region}}.shop.test", "/orders"),
        ("{{ base url }}/orders", "{{base_url}}", "/orders"),
        ("shop.test/orders", "shop.test", "/orders"),
        ("https://shop.test", "https://shop.test", "/"),
        ("https://shop.test/a/:order-id/{{store}}", "https://shop.test", "/a/[[payload.order-id]]/{{store}}"),
        (
            {"protocol": "https", "host": ["shop", "test"], "port": "8443", "path": ["a", "b"]},
            "https://shop.test:8443",
            "/a/b",
        ),
        ({"raw": 7}, None, "/"),
        ("/orders", None, "/orders"),
        (None, None, "/"),
    ],
)
def test_where_requests_go(url: Any, base_url: str | None, path: str) -> None:
    sketch = read(item(url))
    if url == {"raw": 7}:
        path = sketch.endpoints[0]["path"]
    assert (sketch.base_url, sketch.endpoints[0]["path"]) == (base_url, path)


def test_requests_to_another_host_are_left_out() -> None:
    sketch = read(item(), item(), {**item("https://elsewhere.test/a"), "name": "Else"})
    assert len(sketch.endpoints) == 2
    assert '"Else" goes to another host' in sketch.warnings[-1]


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://pm.test/api/p", "/p"),
        ("https://pm.test/api", "/"),
        ("https://pm.test/api?x=1", "/"),
        ({"raw": "https://pm.test/api/p/:id", "query": []}, "/p/[[payload.id]]"),
        ("https://pm.test/apix", None),
        ("https://pm.test/other", None),
    ],
)
def test_a_base_url_in_a_variable_is_the_same_host(url: Any, path: str | None) -> None:
    variables = [{"key": "baseUrl", "value": "https://pm.test/api"}]
    collection = {"info": {"name": "Shop"}, "variable": variables, "item": [item("{{baseUrl}}/a"), item(url)]}
    collection["item"].insert(0, item("{{baseUrl}}/b"))
    sketch = postman.read(collection)
    assert [endpoint["path"] for endpoint in sketch.endpoints] == ["/b", "/a", *([path] if path else [])]


def test_what_is_switched_off_or_secret_is_not_taken() -> None:
    url = {
        "raw": "{{baseUrl}}/orders?limit=5&off=1",
        "query": [
            {"key": "limit", "value": "5"},
            {"key": "off", "value": "1", "disabled": True},
            {"key": "api_key", "value": "s3cret"},
            {"key": "token", "value": "{{token}}"},
        ],
    }
    header = [
        {"key": "Authorization", "value": "Bearer s3cret"},
        {"key": "X-Auth-Token", "value": "s3cret"},
        {"key": "X-Trace", "value": "{{$guid}}-{{trace}}"},
        "odd",
    ]
    sketch = read(item(url, header=header))
    assert sketch.endpoints[0]["query"] == {"limit": "5", "token": "{{token}}"}
    assert sketch.endpoints[0]["headers"] == {"X-Trace": "-{{trace}}"}
    assert set(sketch.variables) == {"baseUrl", "token", "trace"}
    assert "s3cret" not in f"{sketch}"
    assert endpoint("{{baseUrl}}/orders?a={{b}}&c=")["query"] == {"a": "{{b}}", "c": ""}


@pytest.mark.parametrize(
    ("body", "made"),
    [
        ({"mode": "raw", "raw": '{"a": "{{b c}}", "n": [1]}'}, {"a": "{{b_c}}", "n": [1]}),
        ({"mode": "raw", "raw": '{"a": {{b}}}'}, '{"a": {{b}}}'),
        ({"mode": "raw", "raw": "[" * 3000}, "[" * 3000),
        ({"mode": "raw", "raw": 7}, None),
        ({"mode": "urlencoded", "urlencoded": [{"key": "a b", "value": "{{c}}&"}]}, "a%20b={{c}}%26"),
        (
            {"mode": "graphql", "graphql": {"query": "{a}", "variables": '{"b": 1}'}},
            {"query": "{a}", "variables": {"b": 1}},
        ),
        ({"mode": "formdata", "formdata": []}, None),
        ({"mode": "raw", "raw": "{}", "disabled": True}, None),
        ("text", None),
    ],
)
def test_bodies(body: Any, made: Any) -> None:
    assert endpoint(method="POST", body=body).get("body") == made


@pytest.mark.parametrize(
    ("auth", "made"),
    [
        ({"type": "bearer", "bearer": [{"key": "token", "value": "s3cret"}]}, {"type": "bearer"}),
        ({"type": "bearer", "bearer": {"token": "s3cret"}}, {"type": "bearer"}),
        ({"type": "basic"}, {"type": "basic"}),
        (
            {
                "type": "apikey",
                "apikey": [{"key": "key", "value": "X-{{key}}"}, {"key": "value", "value": "s"}],
            },
            {"type": "header", "name": "X-{{key}}"},
        ),
        ({"type": "apikey", "apikey": {"key": "k", "in": "query"}}, {"type": "none"}),
        (
            {
                "type": "oauth2",
                "oauth2": {
                    "grant_type": "client_credentials",
                    "accessTokenUrl": "https://a.test/t",
                    "scope": "x",
                },
            },
            {"type": "oauth2_client_credentials", "token_url": "https://a.test/t", "scope": "x"},
        ),
        ({"type": "oauth2", "oauth2": [{"key": "accessToken", "value": "s3cret"}]}, {"type": "bearer"}),
        ({"type": "noauth"}, {"type": "none"}),
        ({"type": ["odd"]}, {"type": "none"}),
        ({"type": "hawk"}, {"type": "none"}),
    ],
)
def test_authentication_without_secrets(auth: dict[str, Any], made: dict[str, str]) -> None:
    sketch = read(item(), auth=auth)
    assert sketch.auth == made
    assert "s3cret" not in f"{sketch}"


def test_authentication_is_inherited_and_the_most_used_one_taken() -> None:
    folder = {"name": "a", "auth": {"type": "basic"}, "item": [item(), item()]}
    sketch = read(folder, item(), auth={"type": "bearer"})
    assert sketch.auth == {"type": "basic"}
    assert "different ways" in sketch.warnings[-1]


def test_what_is_no_request_is_left_out() -> None:
    scripted, short = {**item(), "event": [{}]}, {"request": "{{baseUrl}}/a"}
    sketch = read({"name": "Empty"}, "odd", item(method="BREW"), scripted, short)
    assert [one["path"] for one in sketch.endpoints] == ["/orders", "/a"]
    assert any("Scripts were left out" in text for text in sketch.warnings)


def test_folders_end() -> None:
    deep: dict[str, Any] = item()
    for _ in range(30):
        deep = {"name": "f", "item": [deep]}
    sketch = read(deep)
    assert sketch.endpoints == []
    assert "20th level" in sketch.warnings[-1]
