"""The only place that opens outbound sockets for HTTP, and that says which addresses any other protocol may reach.

Every host is resolved once, every address it has is checked, and the connection goes to exactly those
addresses. Redirects are followed here by hand, so that each hop passes the same door.
"""

from __future__ import annotations

import asyncio
import io
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
from yarl import URL

from flowloom.engine import addresses, spills
from flowloom.steps import contract

if TYPE_CHECKING:
    import aiohttp

    from flowloom.engine import pool

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

ALLOW_SETTING = "FLOWLOOM_OUTBOUND_ALLOW"
MAX_REDIRECTS = 5
_MEBIBYTE = 1024 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
_OWN_HEADERS = frozenset(
    {"connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te", "trailer"}
    | {"transfer-encoding", "upgrade"}
)
_BODY_HEADERS = frozenset({"content-type", "content-encoding", "content-language", "content-location"})
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_UNSAFE_IN_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_UNSAFE_IN_URL = re.compile(r"[\x00-\x1f\x7f\\]")


class _Hop(msgspec.Struct, frozen=True):
    method: str
    url: URL
    headers: Mapping[str, str]
    body: bytes | None
    spills: Callable[[str], bool] | None = None
    is_delivery: bool = False

    def follows(self, response: contract.Response) -> bool:
        """Whether the answer is a redirect that is to be followed."""
        if response.status not in _REDIRECTS or "location" not in response.headers:
            return False
        return not (self.is_delivery and _becomes_get(response.status, self.method))


async def system_addresses(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, from the operating system. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [str(info[4][0]) for info in found]


class Client:
    """A pool of outbound connections. `allow` names the private hosts, addresses, networks it may reach."""

    def __init__(
        self,
        allow: Sequence[str] = (),
        max_body_bytes: int = 64 * _MEBIBYTE,
        spill_from_bytes: int = spills.FROM_BYTES,
        user_agent: str = "Flowloom",
        *,
        resolve: Resolve = system_addresses,
        resolved_for_seconds: int = 10,
    ) -> None:
        """Raises errors.Invalid on FLOWLOOM_OUTBOUND_ALLOW for an entry that cannot be read."""
        self._allow = addresses.Rules(allow, ALLOW_SETTING)
        self._max_body_bytes = max_body_bytes
        self._spill_from_bytes = spill_from_bytes
        self._user_agent = user_agent
        self._lookup = resolve
        self._resolved_for_seconds = resolved_for_seconds
        self._pool: pool.Pool | None = None

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()

    async def reachable(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a host, all of them checked, for what speaks another protocol.

        Raises contract.RequestFailed.
        """
        self._admit_host(host, port)
        try:
            return [str(address) for address in await self._resolve(host, port)]
        except OSError:
            raise contract.RequestFailed(f"The address of {host} was not found.", passing=True) from None

    async def send(
        self,
        request: contract.Request,
        *,
        allowed_hosts: Sequence[str] | None = None,
        secret_headers: Collection[str] = (),
    ) -> contract.Response:
        """Send a request whose URL is absolute and whose headers are complete, and follow its redirects.

        `allowed_hosts` (of a connection) bounds where any hop may go; None is no bound, empty is nowhere.
        `secret_headers` (lower case) are dropped, like Authorization and Cookie, when a redirect leaves
        the host.
        Raises contract.RequestFailed.
        """
        _check_headers(request)
        url = _parse_url(request.url)
        url = url.extend_query(request.query) if request.query else url
        hop = _Hop(
            request.method.upper(), url, request.headers, request.body, request.spills, request.is_delivery
        )
        hosts = None if allowed_hosts is None else addresses.host_patterns(tuple(allowed_hosts))
        try:
            async with asyncio.timeout(request.timeout_seconds):
                return await self._follow(hop, hosts, _SECRET_HEADERS.union(secret_headers))
        except TimeoutError as error:
            seconds = f"{request.timeout_seconds:g} seconds"
            raise contract.RequestFailed(
                f"{url.host} gave no full answer within {seconds}.", passing=True, error_class="timeout"
            ) from error

    async def _follow(
        self, hop: _Hop, hosts: addresses.Rules | None, secret: Collection[str]
    ) -> contract.Response:
        for _ in range(MAX_REDIRECTS + 1):
            self._admit(hop.url, hosts)
            response = await self._exchange(hop)
            if not hop.follows(response):
                return response
            hop = _redirected(hop, response, secret)
        raise _refused(f"{hop.url.host} redirects more than {MAX_REDIRECTS} times.")

    def _admit(self, url: URL, hosts: addresses.Rules | None) -> None:
        host, port = _host_and_port(url)
        self._admit_host(host, port, hosts)

    def _admit_host(self, host: str, port: int, hosts: addresses.Rules | None = None) -> None:
        try:
            address = addresses.literal(host)
        except ValueError as error:
            raise _refused(f"The URL cannot be used: {error}.") from None
        if hosts is not None and not hosts.name(host, port):
            raise _refused(f"The connection may not be used for {host}:{port}; add it to its allowed hosts.")
        if address is not None and (reason := self._allow.refusal(address, port)):
            raise _refused(f"{host} is {reason}; the operator can allow it with {ALLOW_SETTING}.")

    async def _exchange(self, hop: _Hop) -> contract.Response:
        body = hop.body
        data = io.BytesIO(body) if body is not None and len(body) > _MEBIBYTE else body
        return await self._opened().exchange(
            hop.method, hop.url, hop.headers, data, lambda answer: self._read(hop, answer)
        )

    def _opened(self) -> pool.Pool:
        """The pool, made in the loop that uses it with the first request: aiohttp is a tenth of a start, and 6 MB."""
        if self._pool is None:
            from flowloom.engine import pool

            self._pool = pool.Pool(self._resolve, self._user_agent, self._resolved_for_seconds)
        return self._pool

    async def _read(self, hop: _Hop, answer: aiohttp.ClientResponse) -> contract.Response:
        """The answer; a large one of a kind that may spill is in a file, with its beginning in the body."""
        headers = _plain_headers(answer)
        may_spill = hop.spills is not None and answer.ok and hop.spills(headers.get("content-type", ""))
        body = spills.Body(self._spill_from_bytes if may_spill else None)
        room = spills.MAX_BYTES if may_spill else self._max_body_bytes
        async for chunk in answer.content.iter_any():
            if body.size_bytes + len(chunk) > room:
                raise spills.too_large(f"The answer of {answer.url.host}", room)
            body.add(chunk)
        content, file = body.finish()
        return contract.Response(
            answer.status, headers, content, str(answer.url), file, body.size_bytes if file else 0
        )

    async def _resolve(self, host: str, port: int) -> Sequence[addresses.Address]:
        """All addresses of a name. Raises OSError, and RequestFailed as soon as one of them is not open to us."""
        found = [ipaddress.ip_address(text) for text in await self._lookup(host, port)]
        if not found:
            raise OSError(f"{host} has no address")
        if not self._allow.name(host, port):
            self._check(host, port, found)
        return found

    def _check(self, host: str, port: int, found: Sequence[addresses.Address]) -> None:
        for address in found:
            if reason := self._allow.refusal(address, port):
                words = f"{host} is at {address}, which is {reason}"
                raise _refused(f"{words}; the operator can allow it with {ALLOW_SETTING}.")


def _check_headers(request: contract.Request) -> None:
    if not _TOKEN.fullmatch(request.method) or request.method.upper() == "CONNECT":
        raise _refused(f"{request.method!r} is no HTTP method that can be sent.")
    for name, value in request.headers.items():
        if not _TOKEN.fullmatch(name):
            raise _refused(f"{name!r} is no header name.")
        if _UNSAFE_IN_VALUE.search(value):
            raise _refused(f"The header {name} holds a line break or another control character.")
        if name.lower() in _OWN_HEADERS:
            raise _refused(f"The header {name} is set by Flowloom; remove it from the step.")


def _parse_url(text: str) -> URL:
    if _UNSAFE_IN_URL.search(text):
        raise _refused("The URL holds a backslash or a control character.")
    try:
        url = URL(text)
        # Read once: a host like xn-- is decoded only when it is asked for.
        _ = url.host
    except ValueError:
        raise _refused("The URL cannot be read; write it as https://host/path.") from None
    return url


def _host_and_port(url: URL) -> tuple[str, int]:
    if url.scheme not in ("http", "https"):
        raise _refused("Only http and https URLs can be requested; write it as https://host/path.")
    if "@" in url.raw_authority:
        raise _refused("A URL must not hold a user or password; use a connection.")
    if not url.raw_host or not url.port:
        raise _refused("The URL has no host, or no port from 1 to 65535; write it as https://host/path.")
    return url.raw_host, url.port


def _redirected(hop: _Hop, response: contract.Response, secret: Collection[str]) -> _Hop:
    url = _joined(hop.url, response.headers["location"])
    if hop.url.scheme == "https" and url.scheme == "http":
        raise _refused(f"{hop.url.host} redirects from https to http, which is not safe.")
    if not _same_site(hop.url, url):
        hop = msgspec.structs.replace(hop, headers=_without(hop.headers, secret))
    if _becomes_get(response.status, hop.method):
        return _Hop("GET", url, _without(hop.headers, _BODY_HEADERS), None, hop.spills)
    return msgspec.structs.replace(hop, url=url)


def _joined(base: URL, location: str) -> URL:
    try:
        return base.join(_parse_url(location))
    except ValueError:
        raise _refused(f"{base.host} redirects to a URL that cannot be read.") from None


def _becomes_get(status: int, method: str) -> bool:
    if status == 303:
        return method not in ("GET", "HEAD")
    return status in (301, 302) and method == "POST"


def _same_site(one: URL, other: URL) -> bool:
    """Same host and port; an upgrade from the default port of http to that of https stays on the site."""
    default = one.is_default_port() and other.is_default_port()
    return one.raw_host == other.raw_host and (one.port == other.port or default)


def _without(headers: Mapping[str, str], names: Collection[str]) -> Mapping[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in names}


def _plain_headers(answer: aiohttp.ClientResponse) -> Mapping[str, str]:
    plain: dict[str, str] = {}
    for name, value in answer.headers.items():
        name, value = _readable(name.lower()), _readable(value)
        plain[name] = f"{plain[name]}, {value}" if name in plain else value
    return plain


def _readable(text: str) -> str:
    """A header's text without the lone surrogates that stand for bytes which are not UTF-8."""
    return text if text.isascii() else text.encode(errors="surrogateescape").decode(errors="replace")


def _refused(why: str) -> contract.RequestFailed:
    return contract.RequestFailed(why, passing=False)
