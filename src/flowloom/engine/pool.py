"""The pool of outbound HTTP connections, and the words for what goes wrong in it: all that knows aiohttp's client."""

from __future__ import annotations

import io
import os
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeVar

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from flowloom.engine import addresses
from flowloom.steps import contract

T = TypeVar("T")
Resolve = Callable[[str, int], Awaitable[Sequence[addresses.Address]]]
MAX_CONNECTIONS: Final = 512
_FAULTS: Final[tuple[tuple[type[aiohttp.ClientError], str, bool], ...]] = (
    (aiohttp.ClientConnectorDNSError, "The address of {site} was not found.", True),
    (aiohttp.ClientConnectorCertificateError, "The certificate of {site} is not valid.", False),
    (aiohttp.ClientSSLError, "No secure connection to {site} could be made.", True),
    (aiohttp.ClientConnectorError, "{site} cannot be reached: {cause}.", True),
    (aiohttp.ClientPayloadError, "{site} broke off in the middle of its answer.", True),
    (aiohttp.ClientConnectionError, "{site} closed the connection before it answered.", True),
    (aiohttp.InvalidURL, "The URL to {site} is not valid.", False),
    (aiohttp.ClientError, "{site} did not answer in valid HTTP.", True),
)


class Pool:
    """Made in the loop that uses it. It connects to the addresses that `resolve` gives, and to no others."""

    def __init__(self, resolve: Resolve, user_agent: str, resolved_for_seconds: int) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=_Resolver(resolve), ttl_dns_cache=resolved_for_seconds, limit=MAX_CONNECTIONS
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": user_agent},
            timeout=aiohttp.ClientTimeout(total=None),
            trust_env=False,
        )

    async def close(self) -> None:
        await self._session.close()

    async def exchange(
        self,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        data: bytes | io.BytesIO | None,
        read: Callable[[aiohttp.ClientResponse], Awaitable[T]],
    ) -> T:
        """What `read` makes of the answer to one request, no redirect followed. Raises contract.RequestFailed."""
        try:
            async with self._session.request(
                method, url, headers=headers, data=data, allow_redirects=False
            ) as answer:
                return await read(answer)
        except aiohttp.ClientError as error:
            raise _fault(error, url) from error


class _Resolver(AbstractResolver):
    """Names to addresses, in aiohttp's form."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [_resolved(host, port, address) for address in await self._resolve(host, port)]

    async def close(self) -> None:
        """Nothing is held open."""


def _resolved(host: str, port: int, address: addresses.Address) -> ResolveResult:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    return ResolveResult(
        hostname=host, host=str(address), port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST
    )


def _fault(error: aiohttp.ClientError, url: URL) -> contract.RequestFailed:
    words, passing = next((words, passing) for kind, words, passing in _FAULTS if isinstance(error, kind))
    number = getattr(error, "errno", None)
    cause = os.strerror(number) if number else "no address of it answered"
    return contract.RequestFailed(words.format(site=f"{url.host}:{url.port}", cause=cause), passing=passing)
