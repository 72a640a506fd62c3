"""One call of the API: who calls, what was asked, and the way to the stores. Every handler gets one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from flowloom import errors
from flowloom.api import bodies, envelope, limits
from flowloom.engine.inspection import Inspector
from flowloom.engine.probes import Probes
from flowloom.engine.trial import Trials
from flowloom.services import owned
from flowloom.services.actor import Actor, Role
from flowloom.services.platform import Platform
from flowloom.services.principals import Principals
from flowloom.services.remembered import Remembered
from flowloom.store import query

COOKIE = "flowloom_session"
M = TypeVar("M", bound=BaseModel)
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Doors:
    """What the API keeps for as long as the server runs."""

    platform: Platform
    principals: Principals
    rate: limits.RateLimit
    logins: limits.LoginThrottle
    hooks: Remembered[Any]
    readiness: Callable[[], Awaitable[list[str]]]
    inspector: Inspector
    trials: Trials
    probes: Probes


@dataclass(frozen=True, slots=True)
class Call:
    """An authorised request."""

    request: Request
    actor: Actor
    doors: Doors

    @property
    def platform(self) -> Platform:
        return self.doors.platform

    def id(self, name: str) -> int:
        """A record's id from the path. Raises Missing for what cannot be an id."""
        text = self.request.path_params[name]
        if not (text.isascii() and text.isdigit()) or len(text) > 19 or not 0 < int(text) <= query.MAX_ID:
            raise errors.Missing(name.replace("_", " ").capitalize(), text[:40])
        return int(text)

    @property
    def if_match(self) -> str | None:
        """The saved state of a version that the caller edits, if he says so."""
        return (
            ", ".join(self.request.headers.getlist("if-match"))
            if "if-match" in self.request.headers
            else None
        )

    async def json_object(self) -> dict[str, Any]:
        """The body as a JSON object, as it came."""
        return await bodies.json_object(self.request)

    async def body(self, kind: type[M]) -> M:
        """The body as its model."""
        return await self.made(lambda sent: bodies.model(kind, sent))

    async def made(self, make: Callable[[dict[str, Any]], T]) -> T:
        """What `make` makes of the body, a JSON object; a large one is worked on in a thread."""
        return await bodies.read(self.request, make)

    def parameter(self, name: str) -> str | None:
        """A parameter of the query string. Raises Invalid for one that is there twice."""
        given = self.request.query_params.getlist(name)
        if len(given) > 1:
            raise errors.Invalid.field(name, f"{name} is given {len(given)} times; give it once.")
        return given[0] if given else None

    def asked(self, listing: query.Listing) -> query.Page:
        """What the query string asks of a list."""
        return query.parse(listing, self.request.query_params.multi_items())

    def includes(self, listing: query.Listing) -> frozenset[str]:
        """What the query string asks to be included in a record of a list."""
        given = query.given_once(listing, self.request.query_params.multi_items())
        return query.read_includes(listing, given.get("include", ""))

    async def read(
        self, work: Callable[Concatenate[Connection, Actor, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a service function on a read-only connection."""
        return await self.platform.database.read(lambda db: work(db, self.actor, *args, **kwargs))

    async def write(
        self, work: Callable[Concatenate[Connection, Actor, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a service function in a write transaction of its own."""
        return await self.platform.database.write(lambda db: work(db, self.actor, *args, **kwargs))

    async def edit(
        self,
        work: Callable[Concatenate[Connection, Actor, int, P], T],
        version_id: int,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> tuple[T, dict[str, str]]:
        """Run an edit of a version like `write`: what it answers, and the header that names the state it saved."""

        def tagged(db: Connection) -> tuple[T, dict[str, str]]:
            done = work(db, self.actor, version_id, *args, **kwargs)
            return done, {"ETag": owned.etag(owned.load_version(db, self.actor, version_id))}

        return await self.platform.database.write(tagged)

    def page(self, asked: query.Page, found: tuple[query.Found, list[dict[str, Any]]]) -> Response:
        """The answer of a list."""
        return envelope.page(self.request, asked, *found)


def credential(request: Request) -> str:
    """The API key or token of a request: bare, after `Bearer `, or in the session cookie. Raises Unauthenticated."""
    header = request.headers.get("authorization", "").strip()
    scheme, _, rest = header.partition(" ")
    found = rest.strip() if scheme.lower() == "bearer" else header
    if not found:
        found = request.cookies.get(COOKIE, "")
        require_own_page(request)
    if not found:
        raise errors.Unauthenticated
    return found


def require_own_page(request: Request) -> None:
    """Raise Forbidden when a page of another origin spends a browser's cookie on a change, or begins a session.

    SameSite=Strict lets other ports and subdomains of the same site through; browsers say where a request is from.
    """
    if request.method in ("GET", "HEAD"):
        return
    origin = request.headers.get("origin")
    is_own = origin is None or _host_of(origin) == request.headers.get("host")
    if not is_own or request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise errors.Forbidden(
            "Sessions begin and work only on this server's own pages; elsewhere send an API key or a token."
        )


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


async def authorise(request: Request, needed: Role) -> Call:
    """The call of a request whose actor may do it. Raises Unauthenticated, TooMany, Forbidden or TooLarge."""
    doors: Doors = request.app.state.doors
    now = doors.platform.clock()
    actor = await doors.principals.resolve(credential(request), now)
    doors.rate.take(actor.company_id, now)
    actor.require(needed)
    await bodies.refuse_large(request)
    return Call(request, actor, doors)
