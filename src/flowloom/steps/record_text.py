"""A text that is read of each record: what stands at a path of it, or a template that is filled in with it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from flowloom.domain import templates
from flowloom.domain.payload import compile_path

Read = Callable[[object, templates.Scope], str]


def compile(text: str, field: str) -> Read:
    """With a placeholder in it a template, else a path. What is missing, null or no single value is empty text.

    Raises errors.Invalid on `field` for neither.
    """
    template = templates.compile(text, field)
    if template.is_constant:
        path = compile_path(text, field)
        return lambda record, scope: _text(path.get(record, None))
    return lambda record, scope: template.render(replace(scope, payload=record)).strip()


def _text(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | float):
        return msgspec.json.encode(value).decode()
    return ""
