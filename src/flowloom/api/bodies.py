"""Request bodies: size, content type, JSON and model, each with its own clear 4xx."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from flowloom import errors
from flowloom.domain import bulk, declaration, depth, formats
from flowloom.domain.payload import JSON_TYPE, is_json_type
from flowloom.steps import aside

MAX_BYTES = 8 * 1024 * 1024
MAX_DRAINED_BYTES = 64 * 1024 * 1024
MAX_MESSAGES = 20
M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


async def raw(request: Request) -> bytes:
    """The whole body. Raises TooLarge above 8 MB.

    What is over is read and thrown away up to 64 MB: most clients send all before they look at the answer.
    """
    chunks, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > MAX_DRAINED_BYTES:
                break
            if size <= MAX_BYTES:
                chunks.append(chunk)
    except ClientDisconnect:
        raise errors.Invalid.field("body", "The connection closed before the body was complete.") from None
    if size > MAX_BYTES:
        raise _too_large()
    return b"".join(chunks)


async def refuse_large(request: Request) -> None:
    """Raise TooLarge for a body that declares more than 8 MB; one that waits for a word to be sent is not read."""
    declared = request.headers.get("content-length", "0")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > MAX_BYTES:
        if "expect" not in request.headers:
            await raw(request)
        raise _too_large()


def _too_large() -> errors.TooLarge:
    return errors.TooLarge("The body is over 8 MB; send it in smaller parts.")


def decode(content: bytes) -> Any:
    """A JSON value. Raises Invalid for bad JSON or UTF-8, NaN, lone surrogates and nesting over 64 levels."""
    try:
        if not depth.is_deep(content):
            return _value(content)
    except RecursionError:
        pass
    except UnicodeDecodeError:
        raise errors.Invalid.field("body", "The body is not valid UTF-8.") from None
    except (msgspec.MsgspecError, ValueError) as error:
        if _LONE_SURROGATE.search(content):
            raise errors.Invalid.field(
                "body", "The body holds a lone surrogate (\\ud800 to \\udfff)."
            ) from None
        raise errors.Invalid.field("body", f"The body is not valid JSON: {error}.") from None
    raise errors.Invalid.field("body", f"The body is nested deeper than {depth.MAX_DEPTH} levels.")


def require_readable(content: bytes, content_type: str) -> None:
    """Raise Invalid for a payload that is not the JSON, CSV or XML that its content type says; an empty one is."""
    if not content:
        return
    if is_json_type(content_type):
        decode(content)
        return
    try:
        formats.decode(content, content_type)
    except declaration.Unreadable as error:
        kind = content_type.partition(";")[0]
        raise errors.Invalid.field("body", f"The body is not valid {kind}: {error.why}") from None


def _value(content: bytes) -> Any:
    try:
        return bulk.decode(content)
    except msgspec.DecodeError:
        # In parts it cannot say at which byte of the whole the fault is.
        return msgspec.json.decode(content)


_LONE_SURROGATE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)


async def read(request: Request, make: Callable[[dict[str, Any]], T]) -> T:
    """What `make` makes of the body, a JSON object; a large one is worked on in a thread. Raises WrongType, Invalid."""
    content = await raw(request)
    return await aside.run(len(content), lambda: make(parse_object(request, content)))


async def json_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object. Raises WrongType, Invalid."""
    return await read(request, dict)


def parse_object(request: Request, content: bytes) -> dict[str, Any]:
    """A body that was read already as a JSON object; an empty one is an empty object. Raises WrongType, Invalid."""
    if not content.strip():
        return {}
    require_json(request)
    value = decode(content)
    if not isinstance(value, dict):
        raise errors.Invalid.field("body", "The body must be a JSON object, such as {}.")
    return value


def require_json(request: Request) -> None:
    """Raise WrongType for a body that says it is something else than JSON."""
    content_type = request.headers.get("content-type", JSON_TYPE)
    if not is_json_type(content_type):
        raise errors.WrongType(f"The content type {content_type[:100]} is not read here; send {JSON_TYPE}.")


def refuse_nul(value: Any, field: str = "") -> None:
    """Raise Invalid where a text holds a NUL: databases cannot keep it."""
    if isinstance(value, str):
        if "\0" in value:
            raise errors.Invalid.field(field or "body", "The text holds a NUL character; remove it.")
    elif isinstance(value, BaseModel):
        for name in value.model_fields_set:
            if not type(value).model_fields[name].exclude:
                refuse_nul(getattr(value, name), f"{field}.{name}" if field else name)
    elif isinstance(value, dict):
        for name, part in value.items():
            refuse_nul(name, field)
            refuse_nul(part, f"{field}.{name}" if field else name)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            refuse_nul(part, f"{field}.{index}" if field else str(index))


def model(kind: type[M], value: dict[str, Any]) -> M:
    """The body as its model; nothing is coerced, unknown keys are ignored whatever they hold. Raises Invalid."""
    try:
        made = kind.model_validate(value, strict=True)
    except ValidationError as error:
        raise errors.Invalid(messages(error)) from None
    refuse_nul(made)
    return made


def messages(error: ValidationError) -> dict[str, list[str]]:
    """The messages of a failed validation, by dotted field."""
    found: dict[str, list[str]] = {}
    for fault in error.errors(include_url=False, include_input=False)[:MAX_MESSAGES]:
        name = ".".join(str(part) for part in fault["loc"]) or "body"
        said = fault["msg"].replace("Value error, ", "").replace("Input should", f"{name} should")
        text = f"{name} is required." if fault["type"] == "missing" else f"{said}."
        found.setdefault(name, []).append(text if text.startswith(name) else f"{name}: {text}")
    return found
