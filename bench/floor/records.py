"""The floor of a big run: a bare Python loop that gets, decodes, filters, maps and batches the same records.

As a program it is also the source of the records: `--port N` serves them at /records.
"""

from __future__ import annotations

import time
import urllib.request
from typing import Any

import msgspec

from bench.floor import asgi

COUNT, SIZE = 100_000, 100
FIELDS = ("id", "number", "name", "email", "city", "country", "total", "note")


def made(number: int) -> dict[str, Any]:
    """A record of 300 bytes of JSON; one in ten is filtered out."""
    return {
        "id": number,
        "number": f"SO-{number:07d}",
        "status": "open" if number % 10 == 0 else "paid",
        "name": f"Customer Number {number:07d}",
        "email": f"customer-{number:07d}@example.org",
        "city": "Amersfoort",
        "country": "nl",
        "total": 19.95 + number % 500,
        "note": "Leave it at the neighbours when nobody is in, and ring twice, please.",
        "lines": [{"sku": f"SKU-{number % 997:04d}", "quantity": 1 + number % 5}],
    }


def content() -> bytes:
    return msgspec.json.encode([made(number) for number in range(COUNT)])


def fetch(port: int) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/records") as answer:
        return bytes(answer.read())


def work(raw: bytes) -> list[list[dict[str, Any]]]:
    """Decode, filter, map 8 fields, batches of 100."""
    mapped = [
        {
            "id": record["id"],
            "order": record["number"],
            "customer": record["name"],
            "mail": record["email"],
            "town": record["city"],
            "land": record["country"].upper(),
            "amount": record["total"],
            "remark": record["note"],
        }
        for record in msgspec.json.decode(raw)
        if record["status"] == "paid"
    ]
    return [mapped[start : start + SIZE] for start in range(0, len(mapped), SIZE)]


def seconds(raw: bytes) -> float:
    began = time.perf_counter()
    work(raw)
    return time.perf_counter() - began


class Source:
    """Answers the records to every request but the one that asks whether it is up."""

    def __init__(self) -> None:
        self._content = content()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await asgi.answer(send, self._content if scope["path"] == "/records" else b"{}")


if __name__ == "__main__":
    asgi.run(Source(), asgi.arguments().port)
