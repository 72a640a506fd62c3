"""What a trace says of a request: method, address and outcome under the names that OpenTelemetry gives them.

No user, no value of a query and no fragment: an address leaves the server with the trace.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import SplitResult, urlsplit

from flowloom.steps import contract

REDACTED: Final = "REDACTED"
_METHODS: Final = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"}
)
_FIRST_FAULT: Final = 400


def method(request: contract.Request) -> str:
    """The name of a request's span."""
    name = request.method.upper()
    return name if name in _METHODS else "HTTP"


def about(request: contract.Request, redact: Callable[[str], str]) -> dict[str, str | int]:
    """Where it goes; nothing more of an address that cannot be read."""
    name = request.method.upper()
    said: dict[str, str | int] = {"http.request.method": name if name in _METHODS else "_OTHER"}
    try:
        return said | _address(request, urlsplit(request.url), redact)
    except ValueError:
        return said


def _address(
    request: contract.Request, parts: SplitResult, redact: Callable[[str], str]
) -> dict[str, str | int]:
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    shown = parts._replace(netloc=parts.netloc.rpartition("@")[2], query=_query(request, parts.query))
    said = {"url.full": redact(shown._replace(fragment="").geturl()), "server.address": redact(host)}
    return {**said, "server.port": port}


def _query(request: contract.Request, query: str) -> str:
    """The names of what is asked, without the values."""
    named = [part.partition("=") for part in query.split("&") if part]
    names = [name if equals else "" for name, equals, _ in named] + [name for name, _ in request.query]
    return "&".join(f"{name}={REDACTED}" if name else REDACTED for name in names)


def outcome(status: int | None, fault: BaseException | None) -> dict[str, str | int]:
    """What came of it."""
    if status is not None:
        said: dict[str, str | int] = {"http.response.status_code": status}
        return {**said, "error.type": str(status)} if status >= _FIRST_FAULT else said
    return {"error.type": fault.error_class if isinstance(fault, contract.RequestFailed) else "cancelled"}
