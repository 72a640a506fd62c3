"""What every answer looks like: JSON bytes, {"data": ...}, pages with meta and links, and one body for errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from flowloom import errors
from flowloom.store import query

STATUS = {
    "unauthenticated": 401,
    "forbidden": 403,
    "missing": 404,
    "conflict": 409,
    "invalid": 422,
    "bad_query": 400,
    "too_large": 413,
    "wrong_type": 415,
    "too_many": 429,
    "busy": 503,
}
BUSY_RETRY_SECONDS = 1


def answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(msgspec.json.encode(content), status, headers, "application/json")


def data(content: Any, headers: dict[str, str] | None = None) -> Response:
    """{"data": ...}"""
    return answer({"data": content}, headers=headers)


def message(text: str, **more: Any) -> Response:
    """{"message": ...}, as deletes answer."""
    return answer({"message": text, **more})


def page(request: Request, asked: query.Page, found: query.Found, items: Sequence[Any]) -> Response:
    """A page with its meta and links, the links keeping the other query parameters."""
    path = str(request.url.replace(query="", fragment=""))
    last = max(1, -(-found.total // asked.per_page))
    meta = {
        "current_page": asked.page,
        **_span(asked, len(items)),
        "last_page": last,
        "path": path,
        "per_page": asked.per_page,
        "total": found.total,
    }
    if found.is_capped:
        meta["total_is_capped"] = True
    if found.next_cursor:
        meta["next_cursor"] = found.next_cursor
    others = [entry for entry in request.query_params.multi_items() if entry[0] not in ("page", "cursor")]

    def link(name: str, value: object) -> str:
        return f"{path}?{urlencode([*others, (name, str(value))])}"

    links = {
        "first": link("page", 1),
        "last": link("page", last),
        "prev": link("page", min(asked.page - 1, last)) if asked.page > 1 else None,
        "next": link("page", asked.page + 1) if asked.page < last else None,
    }
    if asked.after is not None:
        links["prev"] = None
    if asked.after is not None or (found.is_capped and asked.page >= last):
        # Pages end where counting does; what follows has a cursor, when the order is that of ids.
        links["next"] = link("cursor", found.next_cursor) if found.next_cursor else None
    return answer({"data": items, "meta": meta, "links": links})


def _span(asked: query.Page, count: int) -> dict[str, int | None]:
    """From which to which row of the list a page goes; a page after a cursor does not know."""
    if not count or asked.after is not None:
        return {"from": None, "to": None}
    first = (asked.page - 1) * asked.per_page + 1
    return {"from": first, "to": first + count - 1}


def error(problem: errors.FlowloomError) -> Response:
    """The answer of an error: its message, and for bad input the messages by field."""
    content: dict[str, Any] = {"message": problem.message}
    headers = {}
    if isinstance(problem, errors.Invalid):
        content["errors"] = problem.errors
    if isinstance(problem, errors.TooMany):
        headers["Retry-After"] = str(max(1, round(problem.retry_after_seconds)))
    if isinstance(problem, errors.Busy):
        headers["Retry-After"] = str(BUSY_RETRY_SECONDS)
    if isinstance(problem, errors.Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    return answer(content, STATUS[problem.kind], headers)
