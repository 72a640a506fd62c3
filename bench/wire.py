"""HTTP/1.1 messages of known length, cut from a stream with little work: the load must not be the limit."""

from __future__ import annotations

import re
from collections.abc import Iterator

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Messages:
    """Whole messages from pieces: (head, body) for each."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        self._buffer = self._buffer + data if self._buffer else data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            length = LENGTH.search(head)
            size = int(length[1]) if length else 0
            if len(self._buffer) < end + 4 + size:
                return
            body = self._buffer[end + 4 : end + 4 + size]
            self._buffer = self._buffer[end + 4 + size :]
            yield head, body


def request(method: str, path: str, body: bytes = b"", authorization: str = "") -> bytes:
    """A request's bytes. The host is always the same, so that links in answers are."""
    lines = [f"{method} {path} HTTP/1.1", "Host: bench"]
    if authorization:
        lines.append(f"Authorization: {authorization}")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def answer(body: bytes) -> bytes:
    """The bytes of an answer that all is well."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


OK = answer(b"{}")
