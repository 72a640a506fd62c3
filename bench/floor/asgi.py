"""What the bare servers share: reading a body, answering bytes, and uvicorn as the product runs it."""

from __future__ import annotations

import argparse
from typing import Any

import uvicorn

HEADERS = [(b"content-type", b"application/json")]


async def body(receive: Any) -> bytes:
    content, more = b"", True
    while more:
        message = await receive()
        content += message.get("body", b"")
        more = message.get("more_body", False)
    return content


async def answer(send: Any, content: bytes) -> None:
    headers = [*HEADERS, (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def arguments(*names: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    for name in names:
        parser.add_argument(name)
    return parser.parse_args()


def run(app: Any, port: int, lifespan: Any = "off") -> None:
    uvicorn.run(
        app, port=port, loop="uvloop", http="httptools", lifespan=lifespan, log_level="warning", access_log=False,
        server_header=False,
    )  # fmt: skip
