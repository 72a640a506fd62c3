"""How an operation is declared: path, role, models and list in one place; the OpenAPI follows from it.

A handler gets a Call and answers a Response of finished bytes. A route without a declared role cannot be made, and
`check` refuses an app that has one all the same.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from flowloom.api import call
from flowloom.services.actor import Role
from flowloom.store import query

Handler = Callable[[call.Call], Awaitable[Response]]
PublicHandler = Callable[[Request], Awaitable[Response]]
ID_SCHEMA = {"type": "integer", "minimum": 1, "maximum": query.MAX_ID}
_MEANING = {
    400: "An unknown include, sort or filter",
    401: "No valid credentials",
    403: "Forbidden by role or state",
    404: "No such record",
    405: "No such method on this path",
    409: "Changed meanwhile, or not possible in this state",
    413: "A body over 8 MB",
    415: "A content type that is not read here",
    422: "Input that breaks a rule",
    429: "Too many requests",
    503: "The database cannot be reached",
}
# By reference: a model for each of them on each route would be built at every start, for a fifth of its time.
_ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"description": meaning, "content": _ERROR} for status, meaning in _MEANING.items()
}


class Operation(Route):
    """A route with what the document says of it, as FastAPI's `add_api_route` takes it."""

    def __init__(self, method: str, path: str, endpoint: PublicHandler, declared: Mapping[str, Any]) -> None:
        super().__init__(path, endpoint, methods=[method])
        self.declared = declared


class Routes:
    """The operations of one resource, to be added to the app."""

    def __init__(self, tag: str, prefix: str = "/api/v1") -> None:
        self.tag = tag
        self.prefix = prefix
        self.operations: list[Operation] = []
        # What the document shows; built when it is asked for, since models take time and memory.
        self.models: list[type[BaseModel]] = []

    def add(
        self,
        method: str,
        path: str,
        *,
        role: Role | None,
        answer: type[BaseModel] | None = None,
        body: type[BaseModel] | None = None,
        listing: query.Listing | None = None,
        parameters: Sequence[dict[str, Any]] = (),
        needs_body: bool = True,
        raw_body: bool = False,
        media_type: str | None = None,
        aliases: Sequence[str] = (),
    ) -> Callable[[Any], Any]:
        """Declare an operation. `role` None makes it public: its handler gets the request itself."""

        def declare(handler: Any) -> Any:
            is_unlisted = method == "GET" and listing is None
            own = [parameter["name"] for parameter in parameters] if is_unlisted else None
            endpoint = handler if role is None else _guarded(handler, role, own)
            extra: dict[str, Any] = {
                "x-role": role.value if role else "public",
                "parameters": [*_path_parameters(path), *_list_parameters(listing), *parameters],
            }
            self.models += [model for model in (body, answer) if model is not None]
            if body is not None or raw_body:
                extra["requestBody"] = _request_body(body, required=needs_body)
            if role is None:
                extra["security"] = []
            for number, where in enumerate((path, *aliases)):
                declared = {
                    "tags": [self.tag],
                    "responses": _responses(answer, media_type),
                    "openapi_extra": extra,
                    "operation_id": handler.__name__.rstrip("_") + ("" if number == 0 else f"_alias{number}"),
                    "summary": _summary(handler),
                    "description": _description(handler),
                }
                self.operations.append(Operation(method, self.prefix + where, endpoint, declared))
            return handler

        return declare

    def get(self, path: str, **declared: Any) -> Callable[[Any], Any]:
        return self.add("GET", path, **declared)

    def post(self, path: str, **declared: Any) -> Callable[[Any], Any]:
        return self.add("POST", path, **declared)

    def put(self, path: str, **declared: Any) -> Callable[[Any], Any]:
        return self.add("PUT", path, **declared)

    def patch(self, path: str, **declared: Any) -> Callable[[Any], Any]:
        return self.add("PATCH", path, **declared)

    def delete(self, path: str, **declared: Any) -> Callable[[Any], Any]:
        return self.add("DELETE", path, **declared)


def _guarded(handler: Handler, role: Role, own: Sequence[str] | None) -> PublicHandler:
    """The handler behind its role; with `own`, the parameters it reads, it answers no list."""

    async def endpoint(request: Request) -> Response:
        authorised = await call.authorise(request, role)
        if own is not None:
            query.refuse_unlisted(request.query_params.multi_items(), own)
        return await handler(authorised)

    endpoint.__name__ = handler.__name__
    return endpoint


def _summary(handler: Any) -> str:
    text: str = handler.__doc__ or handler.__name__
    return text.strip().splitlines()[0].rstrip(".")


def _description(handler: Any) -> str:
    lines = (handler.__doc__ or "").strip().splitlines()
    return "\n".join(line.strip() for line in lines[1:]).strip()


def _responses(answer: type[BaseModel] | None, media_type: str | None) -> dict[int | str, dict[str, Any]]:
    content: dict[str, Any] = {} if media_type is None else {media_type: {}}
    if answer is not None:
        content = {"application/json": {"schema": reference(answer)}}
    return {**ERRORS, 200: {"description": "OK", "content": content}}


def reference(model: type[BaseModel]) -> dict[str, str]:
    """How the document names a model."""
    return {"$ref": f"#/components/schemas/{schema_name(model)}"}


def schema_name(model: type[BaseModel]) -> str:
    """The name of a model in the document: `Page[Run]` is `Page_Run_`."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", model.__name__)


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": ID_SCHEMA}
        for name in re.findall(r"\{(\w+)", path)
    ]


def _request_body(body: type[BaseModel] | None, *, required: bool) -> dict[str, Any]:
    if body is None:
        return {"required": False, "content": {"*/*": {"schema": {}}}}
    return {"required": required, "content": {"application/json": {"schema": reference(body)}}}


def query_parameter(name: str, help: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter of the query string, for the OpenAPI."""
    return {"name": name, "in": "query", "required": False, "description": help, "schema": schema}


def _list_parameters(listing: query.Listing | None) -> list[dict[str, Any]]:
    if listing is None:
        return []
    sorts = sorted({"id", *listing.sorts})
    declared = [
        query_parameter("page", "Page, from 1", {"type": "integer", "minimum": 1, "default": 1}),
        query_parameter(
            "per_page",
            "Rows a page; above 100 counts as 100",
            {"type": "integer", "minimum": 1, "default": 15},
        ),
        query_parameter(
            "sort",
            f"By {', '.join(sorts)}; '-' before it for descending",
            {"type": "string", "enum": [sign + name for name in sorts for sign in ("", "-")]},
        ),
    ]
    if listing.includes:
        declared.append(include_parameter(listing))
    if listing.is_capped:
        declared.append(
            query_parameter("cursor", "Go on after this row (meta.next_cursor)", {"type": "string"})
        )
    for name, wanted in listing.filters.items():
        declared.append(query_parameter(f"filter[{name}]", _filter_help(name, wanted), {"type": "string"}))
    return declared


def _filter_help(name: str, wanted: query.Filter) -> str:
    help = wanted.help or f"Values of {name}, with commas between for either"
    if wanted.kind == "text" and wanted.compare == "in" and not wanted.pattern:
        return rf"{help}; `\,` is a comma of a value, and `\\` a backslash"
    return help


def include_parameter(listing: query.Listing) -> dict[str, Any]:
    """The `include` parameter of an operation that answers one record of a list."""
    return query_parameter(
        "include", f"With commas between: {', '.join(listing.includes)}", {"type": "string"}
    )


def check(routes: Sequence[BaseRoute]) -> None:
    """Raise unless every route declares its role; called when the app is made."""
    for route in routes:
        if isinstance(route, Operation):
            if "x-role" not in route.declared.get("openapi_extra", {}):
                raise RuntimeError(f"{route.path} declares no role")
        elif isinstance(route, Route) and not getattr(route.endpoint, "is_public", False):
            raise RuntimeError(f"{route.path} is no declared operation")
