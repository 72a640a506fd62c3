"""What is kept of a request and its answer as evidence: headers, the beginning of the bodies, no secret in any form.

A row costs little: large bodies are never copied, and without secrets nothing is searched for.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from flowloom.steps import contract
from flowloom.store import secrets

EXCERPT_BYTES: Final = 4096
# Each byte of a secret takes at most so many characters in the form that is longest, &#x0041;.
_LONGEST_FORM: Final = 8
_SECRET_HEADERS: Final = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key", "x-auth-token"}
)
_USER = re.compile(r"(?<=//)[^/?#@]*@")
_UTF8_CONTINUES: Final = 3


def row(
    *,
    run_id: int,
    step_key: str,
    position: str,
    request: contract.Request,
    response: contract.Response | None,
    error: str | None,
    duration_ms: int,
    at: datetime,
    hidden: Collection[str] = (),
    secret_headers: Collection[str] = (),
) -> dict[str, Any]:
    """A row of `exchanges`. `hidden` are the run's secrets; `secret_headers` (lower case) carry one by their kind."""
    show = _Shown(tuple(hidden), _SECRET_HEADERS.union(secret_headers))
    return {
        "run_id": run_id,
        "step_key": step_key,
        "position": position,
        "request": show.request(request),
        "response": None if response is None else show.response(response),
        "error": None if error is None else show.text(error),
        "duration_ms": duration_ms,
        "created_at": at,
    }


class _Shown:
    """Turns parts of an exchange into text without these secrets."""

    def __init__(self, hidden: Collection[str], secret_headers: Collection[str]) -> None:
        self._hidden = hidden
        self._secret_headers = secret_headers
        longest = max((len(secret.encode(errors="replace")) for secret in hidden), default=0)
        self._margin = _LONGEST_FORM * longest

    def request(self, request: contract.Request) -> dict[str, Any]:
        url = request.url
        if request.query:
            url += ("&" if "?" in url else "?") + urlencode(request.query)
        head = self._head(_USER.sub(f"{secrets.REDACTED}@", url), request.headers)
        return {"method": request.method, **head, **self.body(request.body, request.headers)}

    def response(self, response: contract.Response) -> dict[str, Any]:
        head = self._head(response.url, response.headers)
        return {"status": response.status, **head, **self.body(response.body, response.headers)}

    def _head(self, url: str, headers: Mapping[str, str]) -> dict[str, Any]:
        """{url, headers}. All are looked through at once, as lines of one text: secrets are many forms long."""
        values = [
            secrets.REDACTED if name.lower() in self._secret_headers else value
            for name, value in headers.items()
        ]
        lines = [line.replace("\n", " ") for line in (url, *headers, *values)]
        url, *rest = self.text("\n".join(lines)).split("\n")
        return {"url": url, "headers": dict(zip(rest[: len(headers)], rest[len(headers) :], strict=True))}

    def text(self, text: str) -> str:
        """Text that every database keeps: without NUL and half characters."""
        if self._hidden:
            text = secrets.redact(text, self._hidden)
        if text.isascii() and "\0" not in text:
            return text
        return text.replace("\0", "\ufffd").encode(errors="replace").decode()

    def body(self, body: bytes | None, headers: Mapping[str, str]) -> dict[str, Any]:
        """{body_bytes, body} with at most EXCERPT_BYTES characters of a text, or {body_bytes, body_type}."""
        if body is None:
            return {}
        size = {"body_bytes": len(body)}
        if not body:
            return size
        found = self._excerpt(body)
        if found is None:
            return {**size, "body_type": self.text(_content_type(headers))}
        return {**size, "body": found}

    def _excerpt(self, body: bytes) -> str | None:
        """The beginning of a text, None of what is no text.

        A secret that is cut in two is no longer found, so more is looked at than is shown, and of that not the end.
        """
        window = body[: EXCERPT_BYTES + self._margin]
        is_cut = len(window) < len(body)
        text = _decoded(window, is_cut=is_cut)
        if text is None or "\0" in text:
            return None
        text = self.text(text)
        if is_cut and self._margin:
            text = text[: -self._margin]
        return text[:EXCERPT_BYTES]


def _decoded(window: bytes, *, is_cut: bool) -> str | None:
    """UTF-8 as text; the end may be in the middle of a character when it was cut there."""
    try:
        return window.decode()
    except UnicodeDecodeError as error:
        if is_cut and error.start >= len(window) - _UTF8_CONTINUES:
            return window[: error.start].decode()
        return None


def _content_type(headers: Mapping[str, str]) -> str:
    found = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    return found or "application/octet-stream"
