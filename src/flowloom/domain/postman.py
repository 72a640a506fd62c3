"""Postman collections (2.0, 2.1) as connectors: their requests, through all folders, with variables and auth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flowloom.domain import imported, postman_requests
from flowloom.domain.imported import Sketch

_MAX_FOLDERS: Final = 20
_MAX_VARIABLES: Final = 150


@dataclass(frozen=True, slots=True)
class Found:
    """A request, the names of its folders, and the authentication that is meant for it."""

    name: str
    folders: tuple[str, ...]
    request: Mapping[str, Any]
    auth: Mapping[str, Any]


def is_one(document: Mapping[str, Any]) -> bool:
    """Whether a document looks like a Postman collection."""
    schema = imported.mapping(document.get("info")).get("schema")
    return (
        isinstance(document.get("item"), list)
        and "info" in document
        and "postman" in f"{schema or 'postman'}"
    )


def read(document: Mapping[str, Any]) -> Sketch:
    """The connector that a collection describes."""
    sketch = Sketch()
    info = imported.mapping(document.get("info"))
    sketch.name = imported.line(info.get("name"))
    sketch.description = imported.prose(_described(info.get("description")))
    _declare_variables(document, sketch)
    found = list(_requests(document, sketch, (), imported.mapping(document.get("auth"))))
    origin = _origin_of_most(found)
    sketch.base_url = None if origin is None else postman_requests.fitted(origin, sketch)
    sketch.auth = _auth_of_most(found, sketch)
    for one in found:
        _add(one, origin, sketch)
    return sketch


def _described(value: object) -> object:
    """A description is a text, or an object with one."""
    return value.get("content") if isinstance(value, dict) else value


def _declare_variables(document: Mapping[str, Any], sketch: Sketch) -> None:
    """A secret stays out: it belongs to a connection."""
    for variable in imported.objects(document.get("variable"), _MAX_VARIABLES):
        name = imported.line(variable.get("key") or variable.get("id"), 100)
        if not name or variable.get("disabled") is True:
            continue
        is_secret = variable.get("type") == "secret" or postman_requests.is_secret(name)
        if is_secret and variable.get("value"):
            sketch.warn(f"The value of the variable '{name}' may be a secret and was left out.")
        default = None if is_secret else variable.get("value")
        sketch.declare(name, default, imported.prose(_described(variable.get("description"))))


def _requests(
    holder: Mapping[str, Any], sketch: Sketch, folders: tuple[str, ...], auth: Mapping[str, Any]
) -> Iterator[Found]:
    if holder.get("event"):
        sketch.warn("Scripts were left out: nothing of a collection is executed.")
    for item in imported.sequence(holder.get("item")):
        node = imported.mapping(item)
        name = imported.line(node.get("name"))
        if "item" not in node:
            yield from _request(node, name, sketch, folders, auth)
        elif len(folders) < _MAX_FOLDERS:
            yield from _requests(node, sketch, (*folders, name), imported.mapping(node.get("auth")) or auth)
        else:
            sketch.warn(f"Folders below the {_MAX_FOLDERS}th level were left out.")


def _request(
    node: Mapping[str, Any], name: str, sketch: Sketch, folders: tuple[str, ...], auth: Mapping[str, Any]
) -> Iterator[Found]:
    request = node.get("request")
    if isinstance(request, str):
        request = {"method": "GET", "url": request}
    if not isinstance(request, dict):
        sketch.warn(f'"{name}" holds no request and was left out.')
        return
    if node.get("event"):
        sketch.warn("Scripts were left out: nothing of a collection is executed.")
    yield Found(name, folders, request, imported.mapping(request.get("auth")) or auth)


def _origin_of_most(found: list[Found]) -> str | None:
    """Scheme, host and port that most requests go to, or the variable that stands for it."""
    origins = Counter(postman_requests.target(one.request)[0] for one in found)
    origins.pop("", None)
    return origins.most_common(1)[0][0] if origins else None


def _auth_of_most(found: list[Found], sketch: Sketch) -> dict[str, str]:
    made = [postman_requests.auth(one.auth, sketch) for one in found]
    kinds = Counter(tuple(sorted(auth.items())) for auth in made if auth["type"] != "none")
    if not kinds:
        return {"type": "none"}
    if len(kinds) > 1:
        sketch.warn("Requests authenticate in different ways; the one that most of them use was taken.")
    return dict(kinds.most_common(1)[0][0])


def _add(one: Found, origin: str | None, sketch: Sketch) -> None:
    label = imported.line(" / ".join((*one.folders, one.name))) or "Request"
    if sketch.is_full:
        sketch.warn(f"Only the first {imported.MAX_ENDPOINTS:,} requests were kept.")
        return
    values = {
        name: variable["default"] for name, variable in sketch.variables.items() if "default" in variable
    }
    request = postman_requests.below(one.request, origin, values)
    if request is None:
        sketch.warn(f'"{label}" goes to another host and was left out; make a connector for that one.')
        return
    endpoint = postman_requests.endpoint(label, request, sketch)
    if endpoint is not None:
        described = imported.prose(_described(one.request.get("description")))
        sketch.add(label, {**endpoint, **({"description": described} if described else {})})
