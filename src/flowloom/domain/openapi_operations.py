"""An operation of an OpenAPI document as an endpoint of a connector."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeGuard
from urllib.parse import quote

from flowloom.domain import imported, openapi_schemas, payload
from flowloom.domain.imported import Sketch
from flowloom.domain.openapi_schemas import References

_MAX_PARAMETERS: Final = 100
_MAX_PAGE_SIZE: Final = 100
_PATH_PARAMETER = re.compile(r"\{([^{}/]+)\}")
_NO_NAME = re.compile(r"[^A-Za-z0-9_-]+")
# Set by what sends the request, whatever the document says of them.
_OWN_HEADERS = frozenset(
    {"accept", "content-type", "content-length", "authorization", "host", "idempotency-key"}
)
_PAGES = ("page", "page_number", "pagenumber", "page_no", "pageno", "page_index", "p")
_OFFSETS = ("offset", "skip", "start", "start_index", "startindex", "$skip")
_CURSORS = (
    "cursor", "after", "page_token", "pagetoken", "next_token", "nexttoken", "next_cursor", "nextcursor",
    "continuation_token", "continuationtoken", "starting_after",
)  # fmt: skip
_SIZES = (
    "limit", "per_page", "perpage", "page_size", "pagesize", "page_limit", "size", "count", "first",
    "max_results", "maxresults", "top", "$top", "take",
)  # fmt: skip
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Operation:
    """One method at one path, with the parameters of both."""

    references: References
    path: str
    method: str
    node: Mapping[str, Any]
    shared: object

    @property
    def label(self) -> str:
        return f"{self.method} {self.path[:200]}"

    @property
    def sketch(self) -> Sketch:
        return self.references.sketch

    def endpoint(self) -> dict[str, Any]:
        """The endpoint, but for its key."""
        is_receive = self.method in ("GET", "HEAD")
        parameters = list(self._parameters())
        name = imported.line(self.node.get("summary")) or imported.line(self.node.get("operationId"))
        headers = self._required(parameters, "header")
        made = {
            "name": name or imported.line(self.label),
            "description": imported.prose(self.node.get("description"), _optional(parameters)),
            "direction": "receive" if is_receive else "send",
            "method": self.method,
            "path": self._path(),
            "query": self._required(parameters, "query"),
            "headers": headers,
        }
        if any(parameter.get("in") == "cookie" for parameter in parameters):
            self.sketch.warn(f"{self.label}: cookies were left out.")
        more = self._receive(parameters) if is_receive else self._send(headers, parameters)
        return {field: value for field, value in {**made, **more}.items() if value not in (None, "", {})}

    def _parameters(self) -> Iterator[Mapping[str, Any]]:
        """The parameters, the operation's own before those of its path."""
        seen: set[tuple[str, str]] = set()
        for listed in (self.node.get("parameters"), self.shared):
            for node in imported.sequence(listed)[:_MAX_PARAMETERS]:
                parameter = self.references.resolved(node)
                name, place = parameter.get("name"), parameter.get("in")
                if isinstance(name, str) and name and isinstance(place, str) and (name, place) not in seen:
                    seen.add((name, place))
                    yield parameter

    def _path(self) -> str:
        path = _PATH_PARAMETER.sub(lambda found: placeholder(found[1]), self.path)
        return path if path.startswith("/") else f"/{path}"

    def _required(self, parameters: Sequence[Mapping[str, Any]], place: str) -> dict[str, Any]:
        """What must be there of the query or the headers: the document's own value, else the payload's."""
        return {
            parameter["name"]: self._value(parameter)
            for parameter in parameters
            if parameter["in"] == place
            and parameter.get("required") is True
            and not (place == "header" and parameter["name"].lower() in _OWN_HEADERS)
        }

    def _value(self, parameter: Mapping[str, Any]) -> Any:
        schema = self.references.schema(parameter.get("schema", parameter))
        choices = [schema.get("default"), schema.get("const"), *imported.sequence(schema.get("enum"))[:1]]
        literal = next((value for value in choices if isinstance(value, str | int | float | bool)), None)
        return placeholder(parameter["name"]) if literal is None else literal

    def _receive(self, parameters: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        answer, schema = self._answer()
        records = openapi_schemas.records_path(self.references, schema)
        names = {
            parameter["name"].lower(): parameter for parameter in parameters if parameter["in"] == "query"
        }
        found: dict[str, Any] = {"records": records or None}
        found["pagination"] = self._pagination(names, answer, schema, records is not None)
        content = imported.mapping(answer.get("content"))
        if content and not any(payload.is_json_type(kind) for kind in islice(content, 20)):
            kinds = (_format_of(kind) for kind in islice(content, 20))
            found["response_format"] = next((kind for kind in kinds if kind), None)
        return found

    def _answer(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """The answer of success, and the schema of its body."""
        responses = imported.mapping(self.node.get("responses"))
        status = next(
            (status for status in ("200", "201", "202", "2XX", "default") if status in responses), ""
        )
        answer = self.references.resolved(responses.get(status))
        content = imported.mapping(answer.get("content"))
        kind = next((kind for kind in islice(content, 20) if payload.is_json_type(kind)), None)
        node = answer.get("schema") if kind is None else imported.mapping(content[kind]).get("schema")
        return answer, self.references.schema(node)

    def _pagination(
        self,
        names: Mapping[str, Mapping[str, Any]],
        answer: Mapping[str, Any],
        schema: Mapping[str, Any],
        is_list: bool,
    ) -> dict[str, Any] | None:
        sized = next((names[name] for name in _SIZES if name in names), None)
        cursor = next((names[name] for name in _CURSORS if name in names), None)
        cursor_path = openapi_schemas.cursor_path(self.references, schema)
        if cursor is not None and cursor_path is not None:
            return {"type": "cursor", "param": cursor["name"], "cursor_path": cursor_path}
        counted = self._counted(names, sized) if is_list else None
        if counted is not None:
            return counted
        if any(name.lower() == "link" for name in islice(imported.mapping(answer.get("headers")), 50)):
            return {"type": "link"}
        url_path = openapi_schemas.next_url_path(self.references, schema)
        if url_path is not None and is_list:
            return {"type": "next_url", "url_path": url_path}
        if cursor is not None:
            self.sketch.warn(f"{self.label}: it has pages, but where the next cursor is was not found.")
        return None

    def _counted(
        self, names: Mapping[str, Mapping[str, Any]], sized: Mapping[str, Any] | None
    ) -> dict[str, Any] | None:
        page = next((names[name] for name in _PAGES if name in names), None)
        offset = next((names[name] for name in _OFFSETS if name in names), None)
        size = {"size_param": sized["name"], "size": self._size(sized)} if sized is not None else {}
        if page is not None:
            return {"type": "page", "param": page["name"], "start": self._start(page), **size}
        if offset is not None and size:
            return {"type": "offset", "param": offset["name"], **size}
        return None

    def _size(self, parameter: Mapping[str, Any]) -> int:
        schema = self.references.schema(parameter.get("schema", parameter))
        told = (schema.get("maximum"), schema.get("default"))
        return min(next((size for size in told if _is_count(size)), _MAX_PAGE_SIZE), _MAX_PAGE_SIZE)

    def _start(self, parameter: Mapping[str, Any]) -> int:
        schema = self.references.schema(parameter.get("schema", parameter))
        first = schema.get("default", schema.get("minimum", 1))
        return 0 if first == 0 and not isinstance(first, bool) else 1

    def _send(self, headers: dict[str, Any], parameters: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The body, and for a form its content type in `headers`."""
        forms = [parameter for parameter in parameters if parameter["in"] == "formData"]
        whole = next((parameter for parameter in parameters if parameter["in"] == "body"), None)
        request = self.references.resolved(self.node.get("requestBody"))
        content = imported.mapping(request.get("content"))
        kind = next((kind for kind in islice(content, 20) if payload.is_json_type(kind)), None)
        media = whole if kind is None else imported.mapping(content[kind])
        if media is not None:
            return self._json_body(media)
        if _FORM in content or forms:
            schema = self.references.schema(imported.mapping(content.get(_FORM)).get("schema"))
            names = [one["name"] for one in forms] or [name for name, _ in self.references.properties(schema)]
            return self._form(headers, names)
        if content:
            self.sketch.warn(
                f"{self.label}: a body of {imported.line(next(iter(content)), 80)} was left out."
            )
        return {}

    def _json_body(self, media: Mapping[str, Any]) -> dict[str, Any]:
        template = openapi_schemas.Template(self.references)
        body = template.of(media.get("schema"))
        if template.is_cut:
            self.sketch.warn(
                f"{self.label}: only the first {openapi_schemas.MAX_FIELDS} fields of its body were kept."
            )
        return {"body": media.get("example") if body is None else body}

    def _form(self, headers: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
        headers["Content-Type"] = _FORM
        self.sketch.warn(f"{self.label}: what its form takes from the payload is not percent-encoded.")
        return {"body": "&".join(f"{quote(name, safe='')}={placeholder(name)}" for name in names)}


def placeholder(name: str) -> str:
    """What takes the field of this name, or one like it, of the payload."""
    return f"[[payload.{_NO_NAME.sub('_', name)[:100]}]]"


def _optional(parameters: Sequence[Mapping[str, Any]]) -> str:
    names = [one["name"] for one in parameters if one["in"] == "query" and one.get("required") is not True]
    return f"Also takes in the query: {', '.join(names)}." if names else ""


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _format_of(content_type: str) -> str | None:
    kind = payload.kind_of(content_type)
    return kind if kind in ("csv", "xml") else None
