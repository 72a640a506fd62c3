"""Transforms of lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any

import msgspec

from flowloom.domain import payload
from flowloom.domain.transforms import numbers, spec
from flowloom.domain.transforms.spec import Argument, Function, Transform, TransformFailed, read_list

_PATH = Argument("path", "path", default=None)


def _on_list(help: str, function: Callable[[list[object]], object]) -> Transform:
    return spec.simple(help, lambda value: function(read_list(value)))


def _on_values(help: str, function: Callable[[list[object]], object]) -> Transform:
    """A transform of what stands at `path` of every item; without a path of the items themselves."""

    def make(text: str | None) -> Function:
        values = _values_at(text)
        return lambda value: function(values(read_list(value)))

    return Transform(help, make, (_PATH,))


def _values_at(text: str | None) -> Callable[[list[object]], list[object]]:
    if text is None:
        return list
    path = payload.compile_path(text)
    return lambda items: [value for item in items for value in path.get_all(item)]


def _count(value: object) -> object:
    if value is None or value is payload.MISSING:
        return 0
    if isinstance(value, str | list | dict):
        return len(value)
    raise TransformFailed(f"expects a list, an object or text, got {spec.kind_of(value)}")


def _smallest(values: list[object]) -> object:
    return _chosen(min, values)


def _largest(values: list[object]) -> object:
    return _chosen(max, values)


def _chosen(choose: Callable[..., object], values: list[object]) -> object:
    """The value itself, as it stands in the data: only the comparison is exact."""
    return choose((value for value in values if value is not None), key=numbers.read, default=None)


def _unique(text: str | None) -> Function:
    path = payload.compile_path(text)

    def run(value: object) -> object:
        seen: dict[bytes, object] = {}
        for item in read_list(value):
            seen.setdefault(_identity(path.get(item, None)), item)
        return list(seen.values())

    return run


def _identity(value: object) -> bytes:
    return msgspec.json.encode(value, order="deterministic")


def _sort(text: str | None, order: str) -> Function:
    path = payload.compile_path(text)

    def run(value: object) -> object:
        placed = [(_rank(path.get(item)), item) for item in read_list(value)]
        ranked = [(rank, item) for rank, item in placed if rank is not None]
        ranked.sort(key=itemgetter(0), reverse=order == "descending")
        return [item for _, item in ranked] + [item for rank, item in placed if rank is None]

    return run


def _rank(value: object) -> tuple[int, Any] | None:
    """Numbers before text before the rest; nothing at all for what stands last in either order."""
    if value is None or value is payload.MISSING:
        return None
    if isinstance(value, int | float):
        return 0, value
    return (1, value) if isinstance(value, str) else (2, _identity(value))


def _flatten(items: list[object]) -> object:
    return [inner for item in items for inner in (item if isinstance(item, list) else [item])]


def _slice(start: int, end: int | None) -> Function:
    return lambda value: read_list(value)[start:end]


def _pluck(text: str) -> Function:
    values = _values_at(text)
    return lambda value: values(read_list(value))


TRANSFORMS: Mapping[str, Transform] = {
    "sum": _on_values("The exact sum of the numbers, or of those at `path`.", numbers.total),
    "minimum": _on_values("The smallest of the numbers, or of those at `path`.", _smallest),
    "maximum": _on_values("The largest of the numbers, or of those at `path`.", _largest),
    "count": spec.simple("How many items, keys or characters; missing counts 0.", _count, takes_nothing=True),
    "first": _on_list("The first item, null when there is none.", lambda items: items[0] if items else None),
    "last": _on_list("The last item, null when there is none.", lambda items: items[-1] if items else None),
    "unique": Transform("Without repeated items, or items repeating the value at `path`.", _unique, (_PATH,)),
    "sort": Transform(
        "In order, of the value at `path`: numbers, then text; missing and null last.",
        _sort,
        (_PATH, Argument("order", default="ascending", choices=("ascending", "descending"))),
    ),
    "flatten": _on_list("Lists in it are replaced by their items, one level deep.", _flatten),
    "slice": Transform(
        "The items from `start` up to, not including, `end`, counted from 0 or from the end when negative.",
        _slice,
        (Argument("start", "integer", default=0), Argument("end", "integer", default=None)),
    ),
    "pluck": Transform(
        "The list of what stands at `path` of each item, where anything does.",
        _pluck,
        (Argument("path", "path"),),
    ),
}
