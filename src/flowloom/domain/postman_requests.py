"""A request of a Postman collection as an endpoint: its address, headers, body and authentication."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import msgspec

from flowloom.domain import imported
from flowloom.domain.imported import Sketch

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
_MAX_PARTS: Final = 200
_VARIABLE = re.compile(r"\{\{([^{}]*)\}\}")
_ORIGIN = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://)?(?:\{\{[^{}]*\}\}|[^/?#{}])+")
_PATH_VARIABLE = re.compile(r"(?<=/):([A-Za-z0-9_.-]+)")
_NO_NAME = re.compile(r"[^A-Za-z0-9_-]+")
_SECRET_NAME = re.compile(r"token|secret|passw|api[_-]?key|credential|private|auth|signature", re.IGNORECASE)
_FORM: Final = "application/x-www-form-urlencoded"
# Set by what sends the request.
_OWN_HEADERS = frozenset(
    {"authorization", "content-length", "host", "connection", "user-agent", "accept-encoding", "cookie"}
)


def endpoint(label: str, request: Mapping[str, Any], sketch: Sketch) -> dict[str, Any] | None:
    """The endpoint of a request, but for its key and description; None for a method that no step has."""
    method = str(request.get("method", "GET")).upper()
    if method not in _METHODS:
        sketch.warn(f'"{label}" uses the method {imported.line(method, 20)} and was left out.')
        return None
    _, rest = target(request)
    path, _, query = rest.partition("?")
    headers = _headers(request, sketch)
    made = {
        "name": label,
        "direction": "receive" if method in ("GET", "HEAD") else "send",
        "method": method,
        "path": _path(path, sketch),
        "query": _query(request, query, sketch),
        "headers": headers,
        "body": _body(label, imported.mapping(request.get("body")), headers, sketch),
    }
    return {field: value for field, value in made.items() if value not in (None, {})}


def target(request: Mapping[str, Any]) -> tuple[str, str]:
    """Where a request goes: its origin as it is written ("" for a relative URL), and what follows it."""
    url = request.get("url")
    raw = url if isinstance(url, str) else imported.mapping(url).get("raw") or _joined(imported.mapping(url))
    text = raw.strip().split("#")[0] if isinstance(raw, str) else ""
    found = None if text.startswith("/") else _ORIGIN.match(text)
    return (found[0], text[found.end() :]) if found else ("", text)


def below(
    request: Mapping[str, Any], origin: str | None, values: Mapping[str, object]
) -> Mapping[str, Any] | None:
    """The request, its URL relative to the origin however either is written; None for one that goes elsewhere.

    `values` are those of the variables that stand in URLs.
    """
    own, rest = target(request)
    if own in ("", origin):
        return request
    whole, base = _filled(own, values) + rest, _filled(origin or "", values).rstrip("/")
    path = whole.removeprefix(base)
    if path == whole or path[:1] not in ("", "/", "?"):
        return None
    relative = path if path.startswith("/") else f"/{path}"
    return {**request, "url": {**imported.mapping(request.get("url")), "raw": relative}}


def _filled(text: str, values: Mapping[str, object]) -> str:
    return _VARIABLE.sub(lambda found: str(values.get(found[1].strip(), found[0])), text)


def _joined(url: Mapping[str, Any]) -> str:
    """A URL of its parts, for a collection that leaves the whole out."""
    host, path = url.get("host"), url.get("path")
    name = host if isinstance(host, str) else ".".join(_texts(host))
    scheme = f"{url['protocol']}://" if isinstance(url.get("protocol"), str) else ""
    port = f":{url['port']}" if isinstance(url.get("port"), str) else ""
    return f"{scheme}{name}{port}/{path if isinstance(path, str) else '/'.join(_texts(path))}"


def _texts(value: object) -> list[str]:
    return [part for part in imported.sequence(value)[:_MAX_PARTS] if isinstance(part, str)]


def fitted(text: str, sketch: Sketch) -> str:
    """A text whose variables have names that templates know, each declared; computed ones are left out."""

    def declared(found: re.Match[str]) -> str:
        name = found[1].strip()
        if not name or name.startswith("$"):
            sketch.warn(f"The computed value {{{{{imported.line(name, 50)}}}}} was left out.")
            return ""
        return f"{{{{{sketch.declare(name)}}}}}"

    return _VARIABLE.sub(declared, text)


def _path(text: str, sketch: Sketch) -> str:
    path = _PATH_VARIABLE.sub(
        lambda found: f"[[payload.{_NO_NAME.sub('_', found[1])}]]", fitted(text, sketch)
    )
    return path if path.startswith("/") else f"/{path}"


def _query(request: Mapping[str, Any], raw: str, sketch: Sketch) -> dict[str, str]:
    listed = imported.mapping(request.get("url")).get("query")
    if isinstance(listed, list):
        return _enabled(listed, sketch)
    pairs = (part.partition("=") for part in raw.split("&")[:_MAX_PARTS] if part)
    return {fitted(name, sketch): fitted(value, sketch) for name, _, value in pairs if name}


def _headers(request: Mapping[str, Any], sketch: Sketch) -> dict[str, str]:
    headers = _enabled(request.get("header"), sketch)
    return {name: value for name, value in headers.items() if name.lower() not in _OWN_HEADERS}


def _enabled(listed: object, sketch: Sketch) -> dict[str, str]:
    """What a list of {key, value} holds that is not switched off."""
    found = {}
    for pair in imported.objects(listed, _MAX_PARTS):
        key, value = pair.get("key"), pair.get("value")
        if isinstance(key, str) and key.strip() and pair.get("disabled") is not True:
            found[fitted(key.strip(), sketch)] = fitted(value, sketch) if isinstance(value, str) else ""
    return {name: value for name, value in found.items() if not _is_given_away(name, value, sketch)}


def _is_given_away(name: str, value: str, sketch: Sketch) -> bool:
    """Whether a value is somebody's secret, which a connector must not hold; a variable is none."""
    if not is_secret(name) or not _VARIABLE.sub("", value).strip() or name.lower() in _OWN_HEADERS:
        return False
    sketch.warn(f"The value of '{imported.line(name, 100)}' may be a secret and was left out.")
    return True


def is_secret(name: str) -> bool:
    """Whether what is called so may be a secret."""
    return _SECRET_NAME.search(name) is not None


def _body(label: str, body: Mapping[str, Any], headers: dict[str, str], sketch: Sketch) -> Any:
    """The body as a template; for what is no JSON its content type goes to `headers`."""
    match body.get("mode") if body.get("disabled") is not True else None:
        case "raw" if isinstance(body.get("raw"), str):
            return _raw(body["raw"], sketch)
        case "urlencoded":
            _set_type(headers, _FORM)
            pairs = _enabled(body.get("urlencoded"), sketch)
            return "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in pairs.items())
        case "graphql":
            return _graphql(imported.mapping(body.get("graphql")), sketch)
        case None:
            return None
        case mode:
            sketch.warn(f'"{label}": a body of the kind {imported.line(mode, 20)} was left out.')
            return None


def _raw(text: str, sketch: Sketch) -> Any:
    """JSON as what it is, where it can be read as such before its variables are filled in; else the text."""
    fit = fitted(text, sketch)
    try:
        return msgspec.json.decode(fit)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return fit


def _graphql(body: Mapping[str, Any], sketch: Sketch) -> dict[str, Any]:
    query, variables = body.get("query"), body.get("variables")
    made: dict[str, Any] = {"query": fitted(query, sketch) if isinstance(query, str) else ""}
    if isinstance(variables, str) and variables.strip():
        made["variables"] = _raw(variables, sketch)
    return made


def _set_type(headers: dict[str, str], content_type: str) -> None:
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = content_type


def _encoded(text: str) -> str:
    """Percent-encoded, but for the variables in it."""
    end, parts = 0, []
    for found in _VARIABLE.finditer(text):
        parts += [quote(text[end : found.start()], safe="", errors="replace"), found[0]]
        end = found.end()
    return "".join([*parts, quote(text[end:], safe="", errors="replace")])


def auth(node: Mapping[str, Any], sketch: Sketch) -> dict[str, str]:
    """How a request authenticates, without its secrets."""
    kind = node.get("type")
    told = _parameters(node.get(kind)) if isinstance(kind, str) else {}
    if kind in (None, "noauth"):
        return {"type": "none"}
    if kind == "basic":
        return {"type": "basic"}
    if kind == "bearer":
        return {"type": "bearer"}
    if kind == "apikey" and told.get("in", "header") == "header":
        name = told.get("key", "").strip()
        return {"type": "header", "name": fitted(name, sketch)} if name else {"type": "none"}
    if kind == "oauth2":
        return _oauth(told, sketch)
    sketch.warn(f"Authentication of the kind {imported.line(kind, 40)} is not known to connections.")
    return {"type": "none"}


def _oauth(told: Mapping[str, str], sketch: Sketch) -> dict[str, str]:
    url = fitted(told.get("accessTokenUrl", ""), sketch)
    if told.get("grant_type") != "client_credentials" or not url.startswith(("http", "{{")):
        return {"type": "bearer"}
    scope = fitted(told.get("scope", ""), sketch)
    return {"type": "oauth2_client_credentials", "token_url": url, **({"scope": scope} if scope else {})}


def _parameters(node: object) -> dict[str, str]:
    """The parameters of an authentication: an object in 2.0, a list of {key, value} in 2.1."""
    listed = imported.objects(node, 50)
    pairs = {one["key"]: one.get("value") for one in listed if isinstance(one.get("key"), str)}
    found = {**imported.mapping(node), **pairs}
    return {name: value for name, value in found.items() if isinstance(value, str)}
