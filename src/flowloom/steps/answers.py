"""What an HTTP answer means to a connector: its body as a payload, and what a status other than 2xx asks for."""

from __future__ import annotations

import email.utils
import http
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

import msgspec

from flowloom.domain import bulk, declaration, depth, formats, payload
from flowloom.domain.declaration import Declaration
from flowloom.domain.payload import Payload
from flowloom.steps import contract, conversion

MAX_RETRY_AFTER_SECONDS = 3600.0
_SHOWN_CHARACTERS = 200
_PASSING = frozenset({408, 425, 429})
_LASTING = frozenset({501, 505})
_UNAUTHORISED = frozenset({401, 403})


class Unreadable(Exception):
    """The answer is not what the config says it is."""


def read(
    body: bytes, content_type: str, wanted: conversion.FormatName | None, format: conversion.Format | None
) -> Payload:
    """The whole answer as a payload: in the format that is wanted, else as its content type says. Raises Unreadable.

    What says that it is text, and is not, stays bytes, unless text is wanted.
    """
    kind = wanted or payload.kind_of(content_type or payload.TEXT_TYPE)
    if kind == "json":
        return Payload(decoded_json(body), size_bytes=len(body))
    if kind == "bytes":
        return Payload(body, content_type.partition(";")[0].strip().lower(), size_bytes=len(body))
    try:
        declared = conversion.declared(kind, content_type, format)
        if kind == "text":
            return _text_payload(body, declared, wanted == "text")
        found = formats.decode(body, declared.content_type)
    except declaration.Unreadable as error:
        raise Unreadable(f"the answer cannot be read as {kind} ({error.why}).") from None
    return Payload(found, declared.content_type, size_bytes=len(body))


def decoded_json(body: bytes) -> object:
    """The JSON value of a body; None for an empty one. Raises Unreadable."""
    body = body.removeprefix(b"\xef\xbb\xbf")
    if not body.strip():
        return None
    if depth.is_deep(body):
        raise Unreadable(f"the answer is nested deeper than {depth.MAX_DEPTH} levels.")
    try:
        return bulk.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(f"the answer is not valid JSON ({error}).") from None


def _text_payload(body: bytes, declared: Declaration, forced: bool) -> Payload:
    """Text in its charset, which it is written in no more."""
    try:
        text: str | bytes = body.decode(declared.encoding)
    except UnicodeDecodeError:
        text = body.decode(errors="replace") if forced else body
    return Payload(text, declared.media_type, size_bytes=len(body))


def refusal(method: str, response: contract.Response, now: datetime) -> contract.Outcome:
    """What a status other than 2xx means: try again, or fail for good."""
    status, why = response.status, described(method, response)
    if status in _PASSING or (status >= 500 and status not in _LASTING):
        return contract.Retry(why, retry_after_seconds(response.headers, now))
    if status in _LASTING:
        return contract.Fail(why, "unavailable")
    return contract.Fail(why, "authentication" if status in _UNAUTHORISED else "rejected")


def described(method: str, response: contract.Response) -> str:
    """What was answered, in words: the status and how the body begins."""
    status = response.status
    phrase = http.HTTPStatus(status).phrase if status in http.HTTPStatus._value2member_map_ else ""
    body = " ".join(response.body[: 4 * _SHOWN_CHARACTERS].decode(errors="replace").split())
    why = f"{method} {shown_url(response.url)} answered {status} {phrase}".rstrip()
    if 300 <= status < 400 and "location" in response.headers:
        to = shown_url(urljoin(response.url, response.headers["location"]))
        return f"{why}, a redirect to {to}; write the URL that takes what is sent."
    return why + (f": {body[:_SHOWN_CHARACTERS]}" if body else ".")


def retry_after_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that `Retry-After` asks for, at most an hour; a date counts from the answer's own `Date`."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:10])
    else:
        until = _http_date(text)
        if until is None:
            return None
        seconds = (until - (_http_date(headers.get("date", "")) or now)).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def _http_date(text: str) -> datetime | None:
    try:
        found = email.utils.parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def shown_url(url: str) -> str:
    """The URL without user, query and fragment, which may hold secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
