"""What the schemas of an OpenAPI document tell of bodies: a template to send, where the records are, what is next.

References lead into the document only, may be circular, and every walk has an end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final
from urllib.parse import unquote

from flowloom.domain import imported
from flowloom.domain.imported import Sketch

MAX_FIELDS: Final = 100
MAX_LOOKS: Final = 1_000_000
_MAX_HOPS: Final = 20
_MAX_DEPTH: Final = 5
_MAX_PROPERTIES: Final = 300
_MAX_PARTS: Final = 20
_INDEX = re.compile(r"[0-9]{1,6}")
_SIMPLE = re.compile(r"[A-Za-z0-9_-]{1,100}")
_LISTS = ("data", "items", "results", "records", "value", "values", "entries", "rows", "list", "content")
_ENVELOPES = ("data", "result", "response", "_embedded", "payload", "page")
_CURSORS = (
    "next_cursor", "nextCursor", "next_page_token", "nextPageToken", "next_token", "nextToken", "cursor",
    "continuation_token", "continuationToken", "endCursor", "end_cursor", "after",
)  # fmt: skip
_NEXT_URLS = ("next", "next_url", "nextUrl", "next_page", "nextPage", "@odata.nextLink")
_CURSOR_HOLDERS = (
    "", "meta", "paging", "pagination", "page_info", "pageInfo", "cursors", "links", "_links",
    "response_metadata", "paging.cursors",
)  # fmt: skip


@dataclass(slots=True)
class References:
    """The references of one document. `left` is how many more properties are looked at."""

    root: Mapping[str, Any]
    sketch: Sketch
    left: int = MAX_LOOKS

    def resolved(self, node: object) -> Mapping[str, Any]:
        """The object that a node is or refers to; an empty one where there is none."""
        found = imported.mapping(node)
        for _ in range(_MAX_HOPS):
            reference = found.get("$ref")
            if not isinstance(reference, str):
                return found
            if not reference.startswith("#/"):
                self.sketch.warn(
                    f"What {imported.line(reference, 100)} holds is not in the document and was left out."
                )
                return {}
            found = imported.mapping(self._at(reference[2:]))
        self.sketch.warn(f"The reference {imported.line(found.get('$ref'), 100)} leads in a circle.")
        return {}

    def _at(self, pointer: str) -> object:
        node: object = self.root
        for part in pointer.split("/"):
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(node, list):
                node = node[int(name)] if _INDEX.fullmatch(name) and int(name) < len(node) else None
            else:
                node = imported.mapping(node).get(name)
        return node

    def schema(self, node: object) -> Mapping[str, Any]:
        """A schema; of alternatives the first one."""
        found = self.resolved(node)
        for _ in range(_MAX_DEPTH):
            choices = imported.sequence(found.get("oneOf")) or imported.sequence(found.get("anyOf"))
            if not choices or "properties" in found:
                break
            usable = (self.resolved(choice) for choice in choices[:10])
            found = next((choice for choice in usable if choice.get("type") != "null"), {})
        return found

    def properties(self, schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The properties of an object, those of all its parts, each resolved."""
        return islice(self._properties(schema, 0), _MAX_PROPERTIES)

    def _properties(self, schema: Mapping[str, Any], depth: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for name, node in imported.mapping(schema.get("properties")).items():
            if self.left <= 0:
                self.sketch.warn(
                    "The schemas are too intricate to follow all of them; look at the last endpoints."
                )
                return
            self.left -= 1
            yield name, self.schema(node)
        if depth < _MAX_DEPTH:
            for part in imported.sequence(schema.get("allOf"))[:_MAX_PARTS]:
                yield from self._properties(self.schema(part), depth + 1)


class Template:
    """Makes the template of a body: each field of the schema takes the field of the payload with its name."""

    def __init__(self, references: References) -> None:
        self._references = references
        self._left = MAX_FIELDS
        self._around: list[Mapping[str, Any]] = []
        self.is_cut = False

    def of(self, node: object) -> dict[str, Any] | None:
        """The template of an object; None for any other schema, and for one that names no property."""
        return self._object(self._references.schema(node), "payload") or None

    def _object(self, schema: Mapping[str, Any], path: str) -> dict[str, Any]:
        made: dict[str, Any] = {}
        if len(self._around) > _MAX_DEPTH or any(one is schema for one in self._around):
            return made
        self._around.append(schema)
        for name, found in self._references.properties(schema):
            if found.get("readOnly") is True or not _SIMPLE.fullmatch(name) or name in made:
                continue
            if self._left <= 0:
                self.is_cut = True
                break
            self._left -= 1
            made[name] = self._value(found, f"{path}.{name}")
        self._around.pop()
        return made

    def _value(self, schema: Mapping[str, Any], path: str) -> Any:
        only = imported.sequence(schema.get("enum"))
        if "const" in schema or len(only) == 1:
            return schema.get("const", only[0] if only else None)
        return self._object(schema, path) or f"[[{path}]]"


def records_path(references: References, schema: Mapping[str, Any]) -> str | None:
    """Where the list is in an answer with this schema: "" at its root, else a path; None where there is none."""
    if _is_list(schema):
        return ""
    found = dict(references.properties(schema))
    lists = [name for name, one in found.items() if _is_list(one) and _SIMPLE.fullmatch(name)]
    best = next((name for name in _LISTS if name in lists), None)
    if best or len(lists) == 1:
        return best or lists[0]
    for name in _ENVELOPES:
        inner = [
            key
            for key, one in references.properties(found.get(name, {}))
            if _is_list(one) and _SIMPLE.fullmatch(key)
        ]
        best = next((key for key in _LISTS if key in inner), inner[0] if len(inner) == 1 else None)
        if best:
            return f"{name}.{best}"
    return None


def cursor_path(references: References, schema: Mapping[str, Any]) -> str | None:
    """Where an answer with this schema holds the cursor of the next page."""
    return _first_of(references, schema, _CURSORS)


def next_url_path(references: References, schema: Mapping[str, Any]) -> str | None:
    """Where an answer with this schema holds the URL of the next page."""
    return _first_of(references, schema, _NEXT_URLS)


def _first_of(references: References, schema: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    top = dict(references.properties(schema))
    for holder in _CURSOR_HOLDERS:
        found = top
        for part in holder.split(".") if holder else ():
            found = dict(references.properties(found.get(part, {})))
        for name in names:
            if name in found and not _is_list(found[name]) and "properties" not in found[name]:
                path = name.replace(".", "\\.")
                return f"{holder}.{path}" if holder else path
    return None


def _is_list(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    return (
        kind == "array"
        or (isinstance(kind, list) and "array" in kind)
        or ("items" in schema and kind is None)
    )
