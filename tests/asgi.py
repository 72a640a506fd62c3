"""A small client that calls an ASGI application in this process, and the answer it gives."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from starlette.types import ASGIApp


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def data(self) -> Any:
        assert self.status == 200, (self.status, self.body[:2000])
        return self.json()["data"]


async def call(
    app: ASGIApp,
    method: str,
    path: str,
    *,
    headers: dict[str, str] | None = None,
    query: dict[str, Any] | None = None,
    body: bytes | Sequence[bytes] = b"",
) -> Answer:
    """One request; the whole answer. A body in parts comes as it would in chunks."""
    parts = urlsplit(path)
    search = "&".join(filter(None, (parts.query, urlencode(query or {}))))
    sent = {"host": "flowloom.test", **(headers or {})}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": search.encode(),
        "root_path": "",
        "headers": [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in sent.items()
        ],
        "client": ("192.0.2.7", 1234),
        "server": ("flowloom.test", 80),
    }
    messages: list[dict[str, Any]] = []
    chunks = [body] if isinstance(body, bytes) else [*body, b""]
    asked = [
        {"type": "http.request", "body": chunk, "more_body": number > 0}
        for number, chunk in enumerate(reversed(chunks))
    ]

    async def receive() -> dict[str, Any]:
        if not asked:
            await asyncio.Event().wait()  # a client that listens to the end
        return asked.pop()

    async def send(message: Any) -> None:
        messages.append(message)

    await app(scope, receive, send)
    start = next(message for message in messages if message["type"] == "http.response.start")
    content = b"".join(
        message.get("body", b"") for message in messages if message["type"] == "http.response.body"
    )
    return Answer(
        start["status"],
        {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]},
        content,
    )
