"""The Idempotency-Key of a request that starts something."""

from __future__ import annotations

import hashlib

from starlette.requests import Request

from flowloom import errors

MAX_LENGTH = 255
# How long a caller of a callback URL waits for the answer: no part of what he asks.
WAIT_PARAMETER = "wait_seconds"


def idempotency(request: Request, content: bytes) -> tuple[str, str] | None:
    """The key and the fingerprint of what was asked (path, query, body); None without the header."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_LENGTH or not key.isprintable():
        raise errors.Invalid.field("Idempotency-Key", f"The key has 1 to {MAX_LENGTH} printable characters.")
    parts = [part for part in request.url.query.split("&") if part.partition("=")[0] != WAIT_PARAMETER]
    asked = f"{request.url.path}?{'&'.join(parts)}\n".encode() + content
    return key, hashlib.sha256(asked).hexdigest()
