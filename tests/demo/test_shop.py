"""The sample shop: its pages, its busy moments and what its warehouse counts."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette

from flowloom.demo import shop

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = {"X-Shop-Key": "demo-shop-key"}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    json: Any


def call(app: Starlette, method: str, url: str, body: object = b"", headers: dict[str, str] = KEY) -> Answer:
    """One request to an ASGI app; a body that is not bytes is sent as JSON."""
    parts = urlsplit(url)
    scope = {
        "type": "http",
        "method": method,
        "path": parts.path,
        "query_string": parts.query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": raw, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], answered, json.loads(sent[1]["body"]))


def open_shop(**options: Any) -> Starlette:
    defaults: dict[str, Any] = {"clock": lambda: NOW, "busy_every": 0}
    return shop.create_app(**defaults | options)


def all_orders(app: Starlette, url: str | None = "/orders") -> list[dict[str, Any]]:
    orders: list[dict[str, Any]] = []
    while url:
        page = call(app, "GET", url).json
        orders += page["orders"]
        url = page.get("next")
    return orders


def test_the_pages_together_hold_every_order_once() -> None:
    orders = all_orders(open_shop())
    assert [order["id"] for order in orders] == list(range(1001, 1231))
    assert all_orders(open_shop(), "/orders?per_page=23") == orders


def test_orders_are_equal_for_equal_seed_and_clock() -> None:
    assert shop.make_orders(230, 7, NOW) == shop.make_orders(230, 7, NOW)
    assert shop.make_orders(230, 7, NOW) != shop.make_orders(230, 8, NOW)
    assert shop.make_orders(0, 7, NOW) == []


def test_orders_look_like_orders() -> None:
    orders = shop.make_orders(230, 7, NOW)
    assert {order["status"] for order in orders} == {"paid", "pending", "cancelled"}
    for order in orders:
        assert order["total"] == round(sum(line["quantity"] * line["price"] for line in order["lines"]), 2)
        assert order["customer"]["email"].isascii()
        assert set(order["lines"][0]) == {"sku", "name", "quantity", "price"}
    created = [order["created_at"] for order in orders]
    assert created == sorted(created)
    assert created[0].startswith("2026-01-30T")
    assert created[-1] < "2026-03-01T12:00:00Z"


def test_a_page_names_the_next_until_the_last() -> None:
    app = open_shop(orders=60)
    first, last = call(app, "GET", "/orders"), call(app, "GET", "/orders?page=2")
    assert (first.json["page"], first.json["next"]) == (1, "/orders?page=2&per_page=50")
    assert '</orders?page=2&per_page=50>; rel="next"' in first.headers["link"]
    assert len(last.json["orders"]) == 10
    assert "next" not in last.json
    assert 'rel="next"' not in last.headers["link"]
    assert call(app, "GET", "/orders?page=3").json == {"orders": [], "page": 3}


@pytest.mark.parametrize(
    "query", ["page=0", "page=x", "page=-1", "page=%C2%B2", "per_page=101", "per_page=", "page=9999999999"]
)
def test_bad_paging_is_refused_by_name(query: str) -> None:
    answer = call(open_shop(), "GET", f"/orders?{query}")
    assert answer.status == 400
    assert answer.json["error"].startswith(query.partition("=")[0])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/orders"),
        ("POST", "/warehouse/orders"),
        ("GET", "/warehouse/received"),
        ("DELETE", "/warehouse/received"),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"X-Shop-Key": "wrong"}, {"X-Shop-Key": "ké"}])
def test_everything_but_the_description_wants_the_key(
    method: str, path: str, headers: dict[str, str]
) -> None:
    answer = call(open_shop(), method, path, b"{}", headers)
    assert answer.status == 401
    assert "X-Shop-Key" in answer.json["error"]


def test_every_so_many_calls_the_shop_is_busy() -> None:
    app = open_shop(busy_every=3)
    answers = [call(app, "GET", "/orders") for _ in range(6)]
    assert [answer.status for answer in answers] == [200, 200, 429, 200, 200, 429]
    assert answers[2].headers["retry-after"] == "1"


def test_a_busy_warehouse_counts_nothing() -> None:
    app = open_shop(busy_every=2)
    statuses = [call(app, "POST", "/warehouse/orders", {"id": 1}).status for _ in range(4)]
    assert statuses == [200, 429, 200, 429]
    assert call(app, "GET", "/warehouse/received").json["requests"] == 2


def test_the_warehouse_books_each_key_once() -> None:
    app = open_shop()
    for key, body in [
        ("a", [{"id": 1}, {"id": 2}]),
        ("b", {"id": 3}),
        ("a", [{"id": 1}, {"id": 2}]),
        ("", {"id": 4}),
    ]:
        answer = call(app, "POST", "/warehouse/orders", body, KEY | {"Idempotency-Key": key})
        assert answer.json == {"accepted": len(body) if isinstance(body, list) else 1}
    assert call(app, "GET", "/warehouse/received").json == {
        "requests": 4,
        "unique_keys": 2,
        "duplicates": 1,
        "orders": 4,
        "keys": {"a": 2, "b": 1},
    }


def test_the_warehouse_can_be_emptied() -> None:
    app = open_shop()
    call(app, "POST", "/warehouse/orders", {"id": 1}, KEY | {"Idempotency-Key": "a"})
    assert call(app, "DELETE", "/warehouse/received").status == 200
    empty = {"requests": 0, "unique_keys": 0, "duplicates": 0, "orders": 0, "keys": {}}
    assert call(app, "GET", "/warehouse/received").json == empty


@pytest.mark.parametrize(
    "body", [b"", b"{", b'"text"', b"[1]", b"null", b'{"a": NaN}', b'{"a": "\xff"}', b"[" * 9999]
)
def test_what_is_no_order_is_refused(body: bytes) -> None:
    app = open_shop()
    answer = call(app, "POST", "/warehouse/orders", body)
    assert answer.status == 400
    assert answer.json["error"].startswith("Send an order or a list of orders as JSON")
    assert call(app, "GET", "/warehouse/received").json["requests"] == 0


def test_it_describes_itself_and_answers_errors_in_json() -> None:
    app = open_shop()
    assert "GET /orders?page=1&per_page=50" in call(app, "GET", "/", headers={}).json["routes"]
    assert call(app, "GET", "/nowhere").json == {"error": "Not Found"}
    assert call(app, "PUT", "/orders").status == 405
