"""How a receive goes from page to page: what to ask for first, and what an answer says comes next.

A page's state is JSON and stored, so a restart goes on with the page it had reached.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import unquote_plus, urljoin, urlsplit

import re2
from pydantic import Field

from flowloom import errors
from flowloom.domain import payload
from flowloom.steps import contract

# A loop is found among the first and the latest places; a longer one ends at max_pages.
_FIRST_PLACES = 8
_LATEST_PLACES = 100

_PARAMETER = r"""\s*;\s*([^\s=;,"]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]+)))?"""
_LINK = re2.compile(r"<([^>]*)>((?:" + _PARAMETER + ")*)")
_PARAMETERS = re2.compile(_PARAMETER)

# What an answer may hold at the place of the next page where there is none.
_NOTHING: tuple[object, ...] = (None, "", False, [], {})

Place = int | str
State = Mapping[str, Any]


class Endless(Exception):
    """The pages go round in a circle, go on for too long, or are not pages at all; `why` says which."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class InBody:
    """A place that stands in the body of a request."""

    path: payload.Path
    place: Place

    def put_into(self, body: object) -> dict[str, object]:
        """The body, a JSON object, with the place in it."""
        changed = dict(body) if isinstance(body, dict) else {}
        payload.assign(changed, self.path, self.place)
        return changed


class _Pages(contract.Config):
    max_pages: int = Field(10_000, ge=1, le=1_000_000, description="Fail when there are more pages than this")

    def in_body(self, place: Place | None) -> InBody | None:
        """What stands in the body to ask for the page at `place`."""
        return None


class Counted(_Pages):
    """What ByPage and ByOffset have in common: they count on until there is nothing more."""

    ends_with_404: bool = Field(
        False, description="Whether a 404 for a page after the first one says that there are no more"
    )


class ByPage(Counted):
    """Counts pages in a query parameter, until one is empty: a server may give fewer than `size` at a time."""

    type: Literal["page"]
    param: str = Field("page", min_length=1)
    start: int = Field(1, ge=0)
    size_param: str | None = None
    size: int | None = Field(None, ge=1)

    def query(self, place: Place | None) -> dict[str, str]:
        query = {self.param: str(self.start if place is None else place)}
        if self.size_param and self.size:
            query[self.size_param] = str(self.size)
        return query

    def next(
        self, place: Place | None, response: contract.Response, body: object, items: int
    ) -> Place | None:
        here = self.start if place is None else int(place)
        return here + 1


class ByOffset(Counted):
    """Counts items in a query parameter, until a page is empty: a server may give fewer than `size` at a time."""

    type: Literal["offset"]
    param: str = Field("offset", min_length=1)
    size_param: str = Field("limit", min_length=1)
    size: int = Field(ge=1)

    def query(self, place: Place | None) -> dict[str, str]:
        return {self.param: str(place or 0), self.size_param: str(self.size)}

    def next(
        self, place: Place | None, response: contract.Response, body: object, items: int
    ) -> Place | None:
        return int(place or 0) + items


class ByCursor(_Pages):
    """Gives back what the last answer holds at `cursor_path`, in a query parameter or in the body, until nothing is
    there."""

    type: Literal["cursor"]
    param: str | None = Field(None, min_length=1, description="The query parameter, or else body_path")
    body_path: str | None = Field(
        None, min_length=1, description="Where the cursor stands in the JSON body, such as page.after"
    )
    cursor_path: str = Field(min_length=1)

    def query(self, place: Place | None) -> dict[str, str]:
        return {} if place is None or self.param is None else {self.param: str(place)}

    def in_body(self, place: Place | None) -> InBody | None:
        if place is None or self.body_path is None:
            return None
        return InBody(payload.compile_path(self.body_path), place)

    def next(
        self, place: Place | None, response: contract.Response, body: object, items: int
    ) -> Place | None:
        found = payload.compile_path(self.cursor_path).get(body, None)
        if found in _NOTHING:
            return None
        if isinstance(found, bool) or not isinstance(found, int | str):
            raise Endless(f"The cursor at '{self.cursor_path}' is neither a text nor a whole number.")
        return found


class ByLink(_Pages):
    """Follows the `Link` header with rel=next (RFC 8288)."""

    type: Literal["link"]

    def query(self, place: Place | None) -> None:
        return None

    def next(
        self, place: Place | None, response: contract.Response, body: object, items: int
    ) -> Place | None:
        link = next_link(response.headers.get("link", ""))
        return None if link is None else _resolved(response.url, link)


class ByNextUrl(_Pages):
    """Follows the URL of the next page that the answer holds at `url_path`, absolute or relative."""

    type: Literal["next_url"]
    url_path: str = Field(min_length=1)

    def query(self, place: Place | None) -> None:
        return None

    def next(
        self, place: Place | None, response: contract.Response, body: object, items: int
    ) -> Place | None:
        found = payload.compile_path(self.url_path).get(body, None)
        if found in _NOTHING:
            return None
        if not isinstance(found, str):
            raise Endless(f"What stands at '{self.url_path}' is no URL.")
        return _resolved(response.url, found)


Pagination = Annotated[ByPage | ByOffset | ByCursor | ByLink | ByNextUrl, Field(discriminator="type")]


def check(pages: Pagination) -> None:
    """Raises errors.Invalid on the field below `pagination` that holds no path, or is one too many."""
    if isinstance(pages, ByCursor):
        if (pages.param is None) == (pages.body_path is None):
            raise errors.Invalid.field("pagination.param", "Give either param or body_path.")
        if pages.body_path is not None:
            _require_keys(payload.compile_path(pages.body_path, "pagination.body_path"))
        payload.compile_path(pages.cursor_path, "pagination.cursor_path")
    if isinstance(pages, ByNextUrl):
        payload.compile_path(pages.url_path, "pagination.url_path")


def check_body(pages: Pagination, *, has_object: bool) -> None:
    """Raises errors.Invalid where a cursor is to stand in the body of a request that has no JSON object there."""
    if isinstance(pages, ByCursor) and pages.body_path is not None and not has_object:
        message = "The cursor stands in a JSON object; set method to POST, and write the body as an object."
        raise errors.Invalid.field("pagination.body_path", message)


def _require_keys(path: payload.Path) -> None:
    if path.stars or not path.segments:
        message = "Name the place of one cursor, such as page.after."
        raise errors.Invalid.field("pagination.body_path", message)


def start() -> State:
    """The state of the first page."""
    return {"page": 0, "place": None, "seen": []}


def advance(
    pages: Pagination, state: State, response: contract.Response, body: object, items: int
) -> State | None:
    """The state of the page after this one, None after the last. Raises Endless.

    `body` is the whole answer, `items` how many items the page has.
    """
    place = pages.next(state["place"], response, body, items)
    # Only the page after the last that is allowed tells whether there are more: it may be the empty one.
    if state["page"] >= pages.max_pages and (items or place is not None):
        raise Endless(
            f"There are more than {pages.max_pages:,} pages; raise max_pages or narrow the request."
        )
    if place is None:
        return None
    seen, mark = state["seen"], _mark(place)
    if mark in seen or place == response.url:
        raise Endless(f"Page {state['page'] + 1} names a page as the next that was read before.")
    kept = [*seen[:_FIRST_PLACES], *seen[_FIRST_PLACES:][1 - _LATEST_PLACES :], mark]
    return {"page": state["page"] + 1, "place": place, "seen": kept}


def without_parameters(url: str, names: Collection[str]) -> str:
    """The URL without the parameters of these names: what counts the pages is not to stand there twice."""
    if not names or "?" not in url:
        return url
    whole, mark, fragment = url.partition("#")
    path, _, query = whole.partition("?")
    kept = [part for part in query.split("&") if unquote_plus(part.partition("=")[0]) not in names]
    return f"{path}?{'&'.join(kept)}{mark}{fragment}" if kept else f"{path}{mark}{fragment}"


def next_link(header: str) -> str | None:
    """The target of the first link with rel=next in a `Link` header."""
    for link in _LINK.finditer(header):
        for name, quoted, plain in _PARAMETERS.findall(link[2]):
            if name.lower() == "rel" and "next" in (quoted or plain).lower().split():
                return str(link[1]).strip()
    return None


def _resolved(base: str, link: str) -> str:
    try:
        url = urljoin(base, link)
        downgraded = urlsplit(base).scheme == "https" and urlsplit(url).scheme == "http"
    except ValueError:
        raise Endless("The next page's URL cannot be read.") from None
    if downgraded:
        raise Endless("The next page's URL goes from https to http, which is not safe.")
    return url


def _mark(place: Place) -> str:
    return hashlib.blake2b(str(place).encode(errors="replace"), digest_size=8).hexdigest()
