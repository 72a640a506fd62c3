"""OpenAPI documents (2.0, 3.0, 3.1) as connectors: servers, security schemes and operations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from flowloom.domain import imported
from flowloom.domain.imported import Sketch
from flowloom.domain.openapi_operations import Operation
from flowloom.domain.openapi_schemas import References

_METHODS: Final = ("get", "head", "post", "put", "patch", "delete")
_OTHER_METHODS: Final = ("options", "trace")
_SERVER_VARIABLE = re.compile(r"\{([^{}]+)\}")
_MAX_SCHEMES: Final = 50


def is_one(document: Mapping[str, Any]) -> bool:
    """Whether a document says that it is an OpenAPI document of a version that is read here."""
    return str(document.get("openapi", "")).startswith("3.") or str(document.get("swagger", "")) in (
        "2.0",
        "2",
    )


def read(document: Mapping[str, Any]) -> Sketch:
    """The connector that an OpenAPI document describes."""
    sketch = Sketch()
    references = References(document, sketch)
    info = imported.mapping(document.get("info"))
    sketch.name = imported.line(info.get("title"))
    sketch.description = imported.prose(info.get("description"))
    sketch.base_url = (
        _swagger_url(document, sketch) if "swagger" in document else _server_url(document, sketch)
    )
    sketch.auth = _auth(document, references)
    for operation in _operations(document, references):
        if sketch.is_full:
            sketch.warn(f"Only the first {imported.MAX_ENDPOINTS:,} operations were kept.")
            break
        sketch.add(_key(operation), operation.endpoint())
    for name in ("webhooks", "x-webhooks"):
        if document.get(name):
            sketch.warn("Webhooks were left out; a flow's own webhook takes their calls.")
    return sketch


def _operations(document: Mapping[str, Any], references: References) -> Iterator[Operation]:
    for path, node in imported.mapping(document.get("paths")).items():
        if path.startswith("x-"):
            continue
        item = references.resolved(node)
        if "servers" in item:
            references.sketch.warn(f"{path[:200]}: servers of its own were left out.")
        for method in _METHODS:
            if isinstance(item.get(method), dict):
                yield Operation(references, path, method.upper(), item[method], item.get("parameters"))
        for method in _OTHER_METHODS:
            if method in item:
                references.sketch.warn(f"{method.upper()} {path[:200]}: no step sends it; it was left out.")


def _key(operation: Operation) -> str:
    named = imported.line(operation.node.get("operationId"))
    return named or f"{operation.method.lower()}{operation.path.replace('/', '-')}"


def _server_url(document: Mapping[str, Any], sketch: Sketch) -> str | None:
    servers = [server for server in imported.objects(document.get("servers"), 50) if _url_of(server)]
    if not servers:
        sketch.warn("The document names no server; each connection says where it is.")
        return None
    if len(servers) > 1:
        others = ", ".join(_url_of(server)[:100] for server in servers[1:6])
        sketch.warn(f"The first server was taken; a connection may name another as its base_url: {others}.")
    variables = imported.mapping(servers[0].get("variables"))

    def declared(found: re.Match[str]) -> str:
        told = imported.mapping(variables.get(found[1]))
        name = sketch.declare(found[1], told.get("default"), imported.prose(told.get("description")))
        return f"{{{{{name}}}}}"

    return _absolute(_SERVER_VARIABLE.sub(declared, _url_of(servers[0])), sketch)


def _url_of(server: Mapping[str, Any]) -> str:
    return imported.line(server.get("url"), 1000)


def _absolute(url: str, sketch: Sketch) -> str:
    """The URL without a query and the last slash; a relative one below a host that connections name."""
    url = re.split("[?#]", url)[0].rstrip("/")
    if url.startswith(("http://", "https://", "{{")):
        return url
    sketch.warn("The server's address is relative; each connection names the host as its variable 'host'.")
    sketch.declare("host", description="The host of the system, such as api.example.com")
    rest = url.lstrip("/")
    return f"https://{{{{host}}}}/{rest}" if rest else "https://{{host}}"


def _swagger_url(document: Mapping[str, Any], sketch: Sketch) -> str:
    host, base_path = imported.line(document.get("host"), 500), imported.line(document.get("basePath"), 500)
    if not host:
        return _absolute(base_path, sketch)
    schemes = imported.sequence(document.get("schemes"))
    scheme = "http" if "http" in schemes and "https" not in schemes else "https"
    return _absolute(f"{scheme}://{host}/{base_path.lstrip('/')}", sketch)


def _auth(document: Mapping[str, Any], references: References) -> dict[str, str]:
    """How one authenticates: by the first scheme that the document asks for and connections know."""
    components = imported.mapping(document.get("components"))
    schemes = imported.mapping(components.get("securitySchemes") or document.get("securityDefinitions"))
    names = [name for name in _wanted(document) if name in schemes] or list(islice(schemes, _MAX_SCHEMES))
    for name in dict.fromkeys(names):
        auth = _auth_of(references.resolved(schemes[name]))
        if auth is not None:
            if len(schemes) > 1:
                references.sketch.warn(f"Of {len(schemes)} ways to authenticate '{name[:100]}' was taken.")
            return auth
    if schemes:
        references.sketch.warn("No way to authenticate that the document names is known to connections.")
    return {"type": "none"}


def _wanted(document: Mapping[str, Any]) -> list[str]:
    """The names of the schemes that the document asks for everywhere, else those of its first operations."""
    asked = list(imported.objects(document.get("security"), _MAX_SCHEMES))
    if not asked:
        for item in islice(imported.mapping(document.get("paths")).values(), 200):
            for method in _METHODS:
                operation = imported.mapping(imported.mapping(item).get(method))
                asked += imported.objects(operation.get("security"), 10)
    return [name for requirement in asked[:_MAX_SCHEMES] for name in islice(requirement, 10)]


def _auth_of(scheme: Mapping[str, Any]) -> dict[str, str] | None:
    match scheme.get("type"), str(scheme.get("scheme", "")).lower():
        case ("http", "basic") | ("basic", _):
            return {"type": "basic"}
        case ("http", "bearer") | ("openIdConnect", _):
            return {"type": "bearer"}
        case ("apiKey", _) if scheme.get("in") == "header" and imported.line(scheme.get("name")):
            return {"type": "header", "name": imported.line(scheme.get("name"))}
        case ("oauth2", _):
            return _oauth(scheme)
    return None


def _oauth(scheme: Mapping[str, Any]) -> dict[str, str]:
    """The flow that needs no browser, else the one that a refresh token goes on from, else a token as it is."""
    flows = imported.mapping(scheme.get("flows"))
    client = flows.get("clientCredentials") or (scheme if scheme.get("flow") == "application" else None)
    code = flows.get("authorizationCode") or (scheme if scheme.get("flow") == "accessCode" else None)
    for kind, flow in (("oauth2_client_credentials", client), ("oauth2_refresh_token", code)):
        told = imported.mapping(flow)
        url = imported.line(told.get("refreshUrl" if kind.endswith("token") else "tokenUrl"), 1000)
        url = url or imported.line(told.get("tokenUrl"), 1000)
        if url.startswith(("https://", "http://")):
            scopes = " ".join(islice(imported.mapping(told.get("scopes")), 50))
            return {"type": kind, "token_url": url, **({"scope": scopes} if scopes else {})}
    return {"type": "bearer"}
