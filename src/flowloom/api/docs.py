"""The API's document at /openapi.json, and a page at /docs that shows it without anything from elsewhere."""

from __future__ import annotations

import html
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from flowloom.api import ui

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "code{background:#8882;padding:.1em .3em;border-radius:.2em}summary{cursor:pointer;padding:.3em 0}"
    "pre{background:#8882;padding:.6em;overflow:auto}h2{border-bottom:1px solid #8886}"
    ":root{color-scheme:light dark}"
)


async def openapi(request: Request) -> Response:
    """The OpenAPI 3.1 document of this server."""
    return Response(msgspec.json.encode(request.app.state.document()), media_type="application/json")


async def page(request: Request) -> Response:
    """The same for a reader."""
    return HTMLResponse(render(request.app.state.document()))


async def root(request: Request) -> Response:
    """The pages, or where they are not built, this one."""
    return ui.page(request) if ui.is_built() else RedirectResponse("/docs")


def render(spec: dict[str, Any]) -> str:
    """All operations, by tag."""
    by_tag: dict[str, list[str]] = {}
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            by_tag.setdefault(operation["tags"][0], []).append(_operation(method, path, operation))
    sections = "".join(f"<h2>{html.escape(tag)}</h2>{''.join(found)}" for tag, found in by_tag.items())
    return (
        f"<!doctype html><html lang=en><title>Flowloom API</title><style>{STYLE}</style>"
        f"<h1>Flowloom API</h1><p>The whole document: <a href=/openapi.json>/openapi.json</a></p>{sections}"
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    about = html.escape(operation.get("description") or "")
    parameters = "".join(
        f"<li><code>{html.escape(one['name'])}</code> in {one['in']}: {html.escape(one.get('description', ''))}"
        for one in operation.get("parameters", ())
    )
    return (
        f"<details><summary><code>{method.upper()} {html.escape(path)}</code> "
        f"{html.escape(operation['summary'])}</summary><p>{about}</p>"
        f"<p>Role: {html.escape(operation['x-role'])}</p><ul>{parameters}</ul></details>"
    )


openapi.is_public = True  # type: ignore[attr-defined]
page.is_public = True  # type: ignore[attr-defined]
root.is_public = True  # type: ignore[attr-defined]
ROUTES = [Route("/", root), Route("/openapi.json", openapi), Route("/docs", page)]
