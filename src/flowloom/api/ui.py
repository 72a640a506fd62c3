"""The pages for a browser: the files that web/ was built into, and the same page for every address of theirs."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

import flowloom

FILES: Final = Path(flowloom.__file__).parent / "ui"
PAGE: Final = FILES / "index.html"
# The name of an asset changes with its content.
_FOREVER: Final = "public, max-age=31536000, immutable"
# Addresses of programs, where a page would hide that there is nothing.
_NOT_PAGES: Final = ("/api/", "/fabric/", "/webhooks/", "/callbacks/", "/assets/")


def is_built() -> bool:
    """Whether this installation has the pages; a source tree has them once web/ was built."""
    return PAGE.is_file()


def is_for_page(request: Request) -> bool:
    """Whether a browser asks for an address that only the pages know."""
    return (
        request.method in ("GET", "HEAD")
        and "text/html" in request.headers.get("accept", "")
        and not request.url.path.startswith(_NOT_PAGES)
        and is_built()
    )


def page(request: Request) -> Response:
    """The page that all addresses share; its script shows what is at the address."""
    return _file(request, PAGE, "no-cache")


async def asset(request: Request) -> Response:
    """A script, style or picture of the pages. Raises 404."""
    folder = FILES / "assets" if request.url.path.startswith("/assets/") else FILES
    file = folder / Path(request.url.path).name
    if not file.is_file():
        raise HTTPException(404)
    return _file(request, file, _FOREVER if folder.name == "assets" else "no-cache")


def _file(request: Request, file: Path, kept: str) -> Response:
    """A file, as it was compressed when the pages were built where the browser takes that."""
    headers = {"Cache-Control": kept, "Vary": "Accept-Encoding"}
    media_type, _ = mimetypes.guess_type(file.name)
    compressed = file.with_name(f"{file.name}.gz")
    if "gzip" in request.headers.get("accept-encoding", "") and compressed.is_file():
        headers["Content-Encoding"] = "gzip"
        file = compressed
    return FileResponse(file, headers=headers, media_type=media_type)


asset.is_public = True  # type: ignore[attr-defined]
ROUTES = [Route("/assets/{name}", asset), Route("/icon.svg", asset)]
