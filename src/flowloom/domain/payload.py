"""A payload: one body with its content type, meta and position, and the paths that reach into it.

Paths are dotted; `*` goes through a list and a number picks one item (`lines.*.price`, `lines.0`); a
backslash takes the dot or star after it into the key (`a\\.b`). An absent path means the body itself, or its
items if it is a list. What is not there is MISSING; reaching into data never raises and never changes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from itertools import zip_longest
from typing import Final, Literal, NamedTuple

import msgspec

from flowloom import errors

JSON_TYPE = "application/json"
TEXT_TYPE = "text/plain"
CSV_TYPE = "text/csv"
XML_TYPE = "application/xml"

Kind = Literal["json", "csv", "xml", "text", "bytes"]
_CSV_TYPES = frozenset({CSV_TYPE, "application/csv", "text/tab-separated-values"})
_XML_TYPES = frozenset({XML_TYPE, "text/xml"})

MAX_PATH_CHARACTERS = 500
MAX_PATH_SEGMENTS = 50


class Missing(Enum):
    """The type of MISSING: what a path answers when nothing is there. Unlike None it is no JSON value."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING

Change = Callable[[list[object]], list[object]]


class Payload(msgspec.Struct, frozen=True):
    """What a run carries from step to step.

    `body` is a JSON value for JSON, a list of objects for CSV, an object with one key for XML, a `str` for text and
    `bytes` for everything else, also for text, CSV or XML that is not what its content type says.
    `position` is the path from the receive that made it ("0", "0.3", "0.3.1"): its identity on every attempt.
    `size_bytes` is how many the body had when it was last read, for what steps make of it about as many.
    """

    body: object = None
    content_type: str = JSON_TYPE
    meta: Mapping[str, str] = msgspec.field(default_factory=dict)
    position: str = "0"
    size_bytes: int = 0

    @property
    def is_json(self) -> bool:
        """Whether the body is a JSON value, so that paths, filters and maps can reach into it."""
        return is_json_type(self.content_type)

    @property
    def has_records(self) -> bool:
        """Whether paths, filters and maps can reach into the body: JSON, CSV and XML are made of JSON values."""
        kind = kind_of(self.content_type)
        return kind == "json" or (kind in ("csv", "xml") and not isinstance(self.body, str | bytes))

    def items_at(self, path: Path) -> list[object] | None:
        """The list at a path, with `*` all items of the lists there; None where there is no list.

        An XML element that is there once is a list of one, and one that is not there an empty list.
        """
        found = self.records_at(path)
        if not isinstance(found, list):
            return None
        return path.records(self.body) if path.stars else found

    def records_at(self, path: Path) -> object:
        """What stands at a path, MISSING where nothing does; of XML the list of the elements there, in any case."""
        if kind_of(self.content_type) == "xml" and path.segments:
            return path.records(self.body)
        return path.get(self.body)

    def with_body(self, body: object) -> Payload:
        """The same payload (meta, position) with another body, of the same content type if it can be written so.

        A part of a list is a part of its size.
        """
        return Payload(
            body, fitting_type(self.content_type, body), self.meta, self.position, self._size_of(body)
        )

    def _size_of(self, body: object) -> int:
        if not isinstance(body, list) or not isinstance(self.body, list) or len(body) >= len(self.body):
            return self.size_bytes
        return self.size_bytes * len(body) // len(self.body)


@lru_cache(maxsize=1024)
def kind_of(content_type: str) -> Kind:
    """What a body of this content type is; a character set and the like change nothing of it.

    All of `application/*+json` is JSON and of `application/*+xml` XML; `text/*` is text, but for CSV and XML.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == JSON_TYPE or media_type.endswith("+json"):
        return "json"
    if media_type in _CSV_TYPES:
        return "csv"
    if media_type in _XML_TYPES or (media_type.startswith("application/") and media_type.endswith("+xml")):
        return "xml"
    return "text" if media_type.startswith("text/") else "bytes"


def is_record_type(content_type: str) -> bool:
    """Whether bodies of this content type become records: JSON, CSV and XML do."""
    return kind_of(content_type) in ("json", "csv", "xml")


def is_json_type(content_type: str) -> bool:
    """Whether a content type is JSON (`application/json; charset=utf-8` and `application/hal+json` are)."""
    return kind_of(content_type) == "json"


def fitting_type(content_type: str, body: object) -> str:
    """The content type of a body that a step made of one of this type: JSON where CSV or XML has no such body.

    CSV is a list of objects, XML one root element; an object picked from them, or a list, is JSON.
    """
    match kind_of(content_type):
        case "csv":
            fits = isinstance(body, list) and all(isinstance(record, dict) for record in body)
        case "xml":
            fits = is_document(body)
        case _:
            fits = True
    return content_type if fits else JSON_TYPE


def is_document(body: object) -> bool:
    """Whether a body is one XML root element: an object with one key, which is not a list (None is no element yet)."""
    if not isinstance(body, dict) or len(body) != 1:
        return body is None
    [(name, value)] = body.items()
    return bool(name) and name[0] not in "@#" and not isinstance(value, list)


class Segment(NamedTuple):
    """One part of a path: a key, with its position in a list (`at`) when it is a number, or `*`."""

    key: str
    at: int | None
    is_star: bool


class Path:
    """A compiled path. `stars` counts its `*`; `only_key` is the key when the path is just one, else None."""

    __slots__ = ("_head", "_tail", "only_key", "segments", "stars", "text")

    def __init__(self, text: str, segments: tuple[Segment, ...]) -> None:
        self.text = text
        self.segments = segments
        self.stars = sum(segment.is_star for segment in segments)
        self.only_key = segments[0].key if len(segments) == 1 and not self.stars else None
        star = next((at for at, segment in enumerate(segments) if segment.is_star), len(segments))
        self._head = segments[:star]
        self._tail = Path(text, segments[star + 1 :]) if self.stars else None

    def __repr__(self) -> str:
        return f"Path({self.text!r})"

    def get(self, value: object, default: object = MISSING) -> object:
        """The value at the path, or `default`; with `*` the list of all there are (no list: `default`)."""
        found = _one(value, self._head)
        if self._tail is not None:
            return self.get_all(value) if isinstance(found, list) else default
        return default if found is MISSING else found

    def get_all(self, value: object) -> list[object]:
        """Every value at the path, in order: none, one, or with `*` any number."""
        found = _one(value, self._head)
        if self._tail is None:
            return [] if found is MISSING else [found]
        if not isinstance(found, list):
            return []
        return [value for item in found for value in self._tail.get_all(item)]

    def gather(self, value: object, depth: int) -> object:
        """Like `get`, but the first `depth` stars keep their lists, nested, with MISSING where nothing is."""
        if not depth or self._tail is None:
            return self.get(value)
        found = _one(value, self._head)
        if not isinstance(found, list):
            return MISSING
        return [self._tail.gather(item, depth - 1) for item in found]

    def records(self, body: object) -> list[object]:
        """The records at the path: the items of a list that stands there, or the value itself."""
        found = self.get_all(body)
        if len(found) == 1 and isinstance(found[0], list):
            return found[0]
        return [item for value in found for item in (value if isinstance(value, list) else [value])]

    def replace_records(self, body: object, change: Change) -> object:
        """The body with the records at the path replaced by `change(records)`, one call for each list there.

        A value that is no list is a list of one, and is left out when `change` answers none: at the root the
        answer is then MISSING. The body is copied along the path only and never changed.
        """
        return _rebuilt(body, self.segments, change)


ROOT: Final = Path("", ())


def compile_path(text: str | None, field: str = "path") -> Path:
    """Parse a path; None and "." are the root. Raises errors.Invalid on `field` for text that is no path."""
    if text is None or text == ".":
        return ROOT
    try:
        return _parse(text)
    except ValueError as error:
        raise errors.Invalid.field(field, str(error)) from None


def assign(record: dict[str, object], path: Path, value: object) -> None:
    """Set `value` at a path of `record`, making the objects and lists on the way.

    `*` spreads a list position by position (MISSING skips one) and gives any other value to each item there.
    Only `record` itself is changed: what it holds is copied first, since it may be part of somebody's input.
    """
    head = path.segments[0]
    record[head.key] = _placed(record.get(head.key, MISSING), path.segments[1:], value)


@lru_cache(maxsize=4096)
def _parse(text: str) -> Path:
    """Raises ValueError naming the rule that the text breaks."""
    if len(text) > MAX_PATH_CHARACTERS:
        raise ValueError(f"The path is longer than {MAX_PATH_CHARACTERS} characters.")
    if "\0" in text:
        raise ValueError("A path holds no NUL character.")
    parts = _escaped(text).split(".")
    if len(parts) > MAX_PATH_SEGMENTS:
        raise ValueError(f"The path has more than {MAX_PATH_SEGMENTS} parts.")
    if not all(parts):
        raise ValueError(
            f"The path '{text}' has an empty part; write it like 'lines.*.price' or leave it out."
        )
    return Path(text, tuple(_segment(part) for part in parts))


# No path holds a NUL, so a NUL and a digit can stand for an escaped character while the text is split.
_ESCAPES = {"\\\\": ("\x000", "\\"), "\\.": ("\x001", "."), "\\*": ("\x002", "*")}


def _escaped(text: str) -> str:
    for written, (stand_in, _) in _ESCAPES.items():
        text = text.replace(written, stand_in)
    return text


def _segment(part: str) -> Segment:
    key = part
    for stand_in, character in _ESCAPES.values():
        key = key.replace(stand_in, character)
    is_index = part.isascii() and part.isdigit() and len(part) <= 9 and (part == "0" or part[0] != "0")
    return Segment(key, int(part) if is_index else None, part == "*")


def _one(value: object, segments: Sequence[Segment]) -> object:
    for key, at, _ in segments:
        if isinstance(value, dict):
            value = value.get(key, MISSING)
        elif isinstance(value, list) and at is not None and at < len(value):
            value = value[at]
        else:
            return MISSING
    return value


def _rebuilt(value: object, segments: tuple[Segment, ...], change: Change) -> object:
    if not segments:
        return _changed(value, change)
    (key, at, is_star), rest = segments[0], segments[1:]
    if isinstance(value, dict) and key in value and not is_star:
        new = _rebuilt(value[key], rest, change)
        return {**value, key: new} if new is not MISSING else {k: v for k, v in value.items() if k != key}
    if isinstance(value, list) and is_star:
        return _present(_rebuilt(item, rest, change) for item in value)
    if isinstance(value, list) and at is not None and at < len(value):
        return [*value[:at], *_present([_rebuilt(value[at], rest, change)]), *value[at + 1 :]]
    return value


def _changed(value: object, change: Change) -> object:
    if isinstance(value, list):
        return change(value)
    return next(iter(change([value])), MISSING)


def _present(values: Iterable[object]) -> list[object]:
    return [value for value in values if value is not MISSING]


def _placed(old: object, segments: tuple[Segment, ...], value: object) -> object:
    """`old` with `value` at the segments, copied as far as it changes."""
    if not segments:
        return value
    (key, at, is_star), rest = segments[0], segments[1:]
    if is_star:
        return _spread(old, rest, value)
    if at is not None and not isinstance(old, dict):
        items = list(old) if isinstance(old, list) else []
        items += [None] * (at + 1 - len(items))
        items[at] = _placed(items[at], rest, value)
        return items
    new = dict(old) if isinstance(old, dict) else {}
    new[key] = _placed(new.get(key, MISSING), rest, value)
    return new


def _spread(old: object, rest: tuple[Segment, ...], value: object) -> list[object]:
    items = old if isinstance(old, list) else []
    values = value if isinstance(value, list) else [value] * len(items)
    pairs = zip_longest(items, values, fillvalue=MISSING)
    return [_kept(item, rest) if new is MISSING else _placed(item, rest, new) for item, new in pairs]


def _kept(item: object, rest: tuple[Segment, ...]) -> object:
    """An item that gets no value: as it was, or an empty place so that later ones keep their positions."""
    if item is not MISSING:
        return item
    if not rest:
        return None
    return [] if rest[0].is_star or rest[0].at is not None else {}
