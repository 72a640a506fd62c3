"""The sample shop that the demo flows talk to: pages of orders to receive, and a warehouse to send them to.

It behaves like a real API on a busy day: it wants a key, pages its answers and now and then says "too many
requests", always at the same request. Nothing is kept beyond the process.
"""

from __future__ import annotations

import hmac
import random
import unicodedata
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Order = dict[str, Any]
_ORDERS: Final = msgspec.json.Decoder(Order | list[Order])

MAX_PER_PAGE = 100
FIRST_ID = 1001
HISTORY = timedelta(days=30)

COUNTRIES = [
    ("DE", "EUR", ["Lena Hoffmann", "Jonas Schäfer", "Mia Krüger", "Paul Neumann"]),
    ("FR", "EUR", ["Chloé Lefèvre", "Hugo Moreau", "Inès Garnier"]),
    ("NL", "EUR", ["Sanne de Vries", "Daan Bakker"]),
    ("GB", "GBP", ["Amelia Clarke", "Oliver Wright", "Priya Patel"]),
    ("US", "USD", ["Emma Johnson", "Liam Garcia", "Noah Nguyen", "Ava Williams"]),
    ("SE", "SEK", ["Elsa Lindström", "Oskar Bergman"]),
]
PRODUCTS = [
    ("TEA-001", "Assam tea, 250 g", 8.90),
    ("TEA-014", "Sencha tea, 100 g", 12.50),
    ("COF-003", "Espresso beans, 1 kg", 21.00),
    ("COF-007", "Filter coffee, 500 g", 11.40),
    ("MUG-002", "Stoneware mug", 14.95),
    ("POT-005", "Cast-iron teapot", 49.00),
    ("GRI-001", "Hand grinder", 89.00),
    ("FIL-100", "Paper filters, 100 pieces", 4.25),
]


def create_app(
    *,
    login: str = "demo-shop-key",
    orders: int = 230,
    seed: int = 7,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    busy_every: int = 7,
) -> Starlette:
    """The shop as an ASGI app. `login` is the key it wants in `X-Shop-Key`; the last of its `orders` are as
    recent as `clock` says; every `busy_every`-th call is answered 429, 0 for never."""
    shop = Shop(login, make_orders(orders, seed, clock()), busy_every)
    routes = [
        Route("/", describe),
        Route("/orders", shop.list_orders),
        Route("/warehouse/orders", shop.receive, methods=["POST"]),
        Route("/warehouse/received", shop.received),
        Route("/warehouse/received", shop.forget, methods=["DELETE"]),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: refuse})


def make_orders(count: int, seed: int, now: datetime) -> list[Order]:
    """`count` orders of the thirty days before `now`, oldest first; equal for equal arguments."""
    chance = random.Random(seed)
    interval = HISTORY / max(count, 1)
    start = now - interval * count
    return [make_order(FIRST_ID + n, start + interval * (n + chance.random()), chance) for n in range(count)]


def make_order(id: int, created_at: datetime, chance: random.Random) -> Order:
    country, currency, names = chance.choice(COUNTRIES)
    name = chance.choice(names)
    lines: list[dict[str, Any]] = [
        {"sku": sku, "name": product, "quantity": chance.choice([1, 1, 1, 2, 3, 6]), "price": price}
        for sku, product, price in chance.sample(PRODUCTS, chance.randint(1, 4))
    ]
    return {
        "id": id,
        "number": f"SO-{id}",
        "status": chance.choices(["paid", "pending", "cancelled"], weights=[7, 2, 1])[0],
        "currency": currency,
        "total": round(sum(line["quantity"] * line["price"] for line in lines), 2),
        "created_at": created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "customer": {"name": name, "email": email_of(name), "country": country},
        "lines": lines,
    }


def email_of(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return f"{plain.replace(' ', '.')}@example.com"


class Shop:
    """The orders on offer and what the warehouse has received."""

    def __init__(self, login: str, orders: list[Order], busy_every: int) -> None:
        self._login = login.encode()
        self._orders = orders
        self._busy_every = busy_every
        self._calls: Counter[str] = Counter()
        self._clear()

    def _clear(self) -> None:
        self._requests = 0
        self._booked = 0
        self._keys: Counter[str] = Counter()

    async def list_orders(self, request: Request) -> Response:
        """One page of orders, with the way to the next as `next` and as a Link header."""
        self._admit(request)
        page, per_page = whole(request, "page", 1, None), whole(request, "per_page", 50, MAX_PER_PAGE)
        last = max(1, -(-len(self._orders) // per_page))
        links = {"first": 1, "next": page + 1, "last": last} if page < last else {"first": 1, "last": last}
        urls = {rel: f"{request.url.path}?page={n}&per_page={per_page}" for rel, n in links.items()}
        shown: dict[str, Any] = {
            "orders": self._orders[(page - 1) * per_page : page * per_page],
            "page": page,
        }
        if "next" in urls:
            shown["next"] = urls["next"]
        link = ", ".join(f'<{url}>; rel="{rel}"' for rel, url in urls.items())
        return JSONResponse(shown, headers={"Link": link})

    async def receive(self, request: Request) -> Response:
        """Book orders. A repeated Idempotency-Key is counted and answered, but books nothing twice."""
        self._admit(request)
        accepted = len(decode_orders(await request.body()))
        key = request.headers.get("Idempotency-Key")
        self._requests += 1
        if not key or key not in self._keys:
            self._booked += accepted
        if key:
            self._keys[key] += 1
        return JSONResponse({"accepted": accepted})

    async def received(self, request: Request) -> Response:
        self._check_key(request)
        return JSONResponse(
            {
                "requests": self._requests,
                "unique_keys": len(self._keys),
                "duplicates": self._keys.total() - len(self._keys),
                "orders": self._booked,
                "keys": self._keys,
            }
        )

    async def forget(self, request: Request) -> Response:
        self._check_key(request)
        self._clear()
        return JSONResponse({"message": "The warehouse is empty again."})

    def _admit(self, request: Request) -> None:
        self._check_key(request)
        self._calls[request.url.path] += 1
        if self._busy_every and self._calls[request.url.path] % self._busy_every == 0:
            raise HTTPException(429, "The shop is busy; try again in a second.", {"Retry-After": "1"})

    def _check_key(self, request: Request) -> None:
        if not hmac.compare_digest(request.headers.get("X-Shop-Key", "").encode(), self._login):
            raise HTTPException(401, "Send the key of the shop in the header X-Shop-Key.")


async def describe(request: Request) -> Response:
    return JSONResponse(
        {
            "name": "Flowloom sample shop",
            "authentication": "header X-Shop-Key",
            "routes": {
                "GET /orders?page=1&per_page=50": "a page of orders; `next` leads on until it is absent",
                "POST /warehouse/orders": "send an order or a list of orders, with an Idempotency-Key",
                "GET /warehouse/received": "what the warehouse has received",
                "DELETE /warehouse/received": "empty the warehouse",
            },
        }
    )


async def refuse(request: Request, refused: Exception) -> Response:
    assert isinstance(refused, HTTPException)
    return JSONResponse({"error": refused.detail}, refused.status_code, refused.headers)


def whole(request: Request, name: str, default: int, most: int | None) -> int:
    """A whole number of the query, 1 or more. Raises HTTPException 400."""
    text = request.query_params.get(name, str(default))
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if number < 1 or (most and number > most):
        allowed = f"from 1 to {most}" if most else "from 1"
        raise HTTPException(400, f"{name} must be a whole number {allowed}, not {text[:40]!r}.")
    return number


def decode_orders(body: bytes) -> list[Order]:
    """The orders of a body that holds one or a list of them. Raises HTTPException 400."""
    try:
        orders = _ORDERS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise HTTPException(400, f"Send an order or a list of orders as JSON: {fault}.") from None
    return orders if isinstance(orders, list) else [orders]
