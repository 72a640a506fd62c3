"""Transforms of any value: defaults, look-ups, booleans and JSON."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from flowloom.domain import comparison, depth
from flowloom.domain.lookup import Lookups
from flowloom.domain.payload import MISSING
from flowloom.domain.transforms import spec
from flowloom.domain.transforms.spec import (
    Argument,
    Function,
    LookingUp,
    Transform,
    TransformFailed,
    read_text,
)

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0", ""})


def _default(other: object) -> Function:
    return lambda value: other if value is None or value is MISSING else value


def _null_if(other: object) -> Function:
    return lambda value: None if comparison.equal(value, other) else value


def _lookup(table: Mapping[str, object], default: object) -> Function:
    def run(value: object) -> object:
        if value is None or value is MISSING:
            return default
        return table.get(read_text(value), default)

    return run


def _lookup_table(table: str, direction: str, default: object, on_miss: str) -> LookingUp:
    def run(value: object, lookups: Lookups) -> object:
        if table not in lookups:
            raise TransformFailed(f"there is no lookup table '{table}'; make it, or choose another one")
        columns = lookups[table]
        found = (columns.forward if direction == "forward" else columns.reverse).get(read_text(value))
        if found is not None:
            return found
        if on_miss == "fail":
            raise TransformFailed(f"the lookup table '{table}' has no {spec.kind_of(value)}")
        return value if on_miss == "keep" else default

    return run


def _boolean(value: object) -> object:
    if value is None or value is MISSING:
        return False
    word = read_text(value).strip().lower()
    if word not in _TRUE and word not in _FALSE:
        raise TransformFailed(f"expects true or false, yes or no, 1 or 0, got {spec.kind_of(value)}")
    return word in _TRUE


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode(errors="replace")


def _text(value: object) -> object:
    return value if isinstance(value, str) else _json(value)


def _from_json(value: object) -> object:
    text = read_text(value)
    try:
        if depth.is_deep(text.encode()):
            raise TransformFailed(f"expects JSON of at most {depth.MAX_DEPTH} levels")
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        raise TransformFailed(f"expects JSON, got {spec.kind_of(value)}") from None


TRANSFORMS: Mapping[str, Transform] = {
    "default": Transform(
        "`value` when it is missing or null.", _default, (Argument("value", "any"),), takes_nothing=True
    ),
    "null_if": Transform("Null when it equals `value`.", _null_if, (Argument("value", "any"),)),
    "lookup": Transform(
        "What stands beside it in `table`, else `default` (null).",
        _lookup,
        (Argument("table", "object"), Argument("default", "any", default=None)),
        takes_nothing=True,
    ),
    "lookup_table": Transform(
        "What stands beside it in a lookup table: `forward` from left to right, or `reverse`. What is not in the "
        "table becomes `default` (null), stays with `keep`, or fails with `fail`.",
        _lookup_table,
        (
            Argument("table", low=1, high=100),
            Argument("direction", default="forward", choices=("forward", "reverse")),
            Argument("default", "any", default=None),
            Argument("on_miss", default="default", choices=("default", "keep", "fail")),
        ),
        looks_up=True,
    ),
    "boolean": spec.simple("True or false; missing and null are false.", _boolean, takes_nothing=True),
    "text": spec.simple("As text; lists and objects as JSON.", _text),
    "to_json": spec.simple("Written as JSON text.", _json),
    "from_json": spec.simple("Read from JSON text.", _from_json),
}
