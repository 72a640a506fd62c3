"""Access tokens of OAuth2 connections: fetched on first use, shared by all runs, renewed before they expire.

They live in this process's memory only. A refresh token that the server rotates is stored before it is used further.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

import msgspec

from flowloom import errors
from flowloom.engine import patience
from flowloom.engine.connections import FETCHED, OAUTH
from flowloom.engine.http import Client
from flowloom.steps import contract
from flowloom.store import secrets
from flowloom.store.connections import Connection

Load = Callable[[int, int], Awaitable[Connection]]
Rotate = Callable[[Connection, Mapping[str, str]], Awaitable[None]]
# Holds off all processes that want the same of a connection.
Alone = Callable[[int], AbstractAsyncContextManager[None]]
Key = tuple[int, datetime]

TIMEOUT_SECONDS: Final = 30.0
LEEWAY_SECONDS: Final = 60.0
LONGEST_SECONDS: Final = 366 * 86_400.0
DRAIN_SECONDS: Final = 5.0
_PASSING: Final = frozenset({408, 425, 429})
_SHOWN_CHARACTERS: Final = 200


@dataclass(frozen=True, slots=True)
class _Token:
    """An access token; `renew_at` None is until it is refused."""

    text: str
    renew_at: datetime | None


_Fetched = tuple[Connection, _Token] | contract.RequestFailed | errors.FlowloomError


class Tokens:
    """The access tokens of all connections, by the connection's id and its last edit."""

    def __init__(
        self,
        http: Client,
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        load: Load,
        rotate: Rotate,
        alone: Alone = lambda _id: contextlib.nullcontext(),
    ) -> None:
        self._http = http
        self._clock = clock
        self._sleep = sleep
        self._load = load
        self._rotate = rotate
        self._alone = alone
        self._tokens: dict[Key, _Token] = {}
        self._fetching: dict[Key, asyncio.Task[_Fetched]] = {}

    async def close(self) -> None:
        """Let what is fetched arrive: a refresh token that was rotated must not get lost."""
        if self._fetching:
            _, late = await asyncio.wait(self._fetching.values(), timeout=DRAIN_SECONDS)
            for task in late:
                task.cancel()

    async def ready(self, connection: Connection) -> Connection:
        """The connection with an access token among its secrets, if its kind has one.

        Raises RequestFailed with error_class "authentication" when the server gives none, Missing when the
        connection is gone.
        """
        if connection.auth_type not in OAUTH:
            return connection
        token = self._tokens.get(_key(connection))
        if token is None or (token.renew_at is not None and self._clock() >= token.renew_at):
            connection, token = await self._fetched(connection)
        return dataclasses.replace(connection, secret={**connection.secret, FETCHED: token.text})

    def forget(self, connection: Connection, refused: Collection[str]) -> bool:
        """Never use an access token again if it is one of these; whether the connection's kind has any at all."""
        token = self._tokens.get(_key(connection))
        if token is not None and token.text in refused:
            del self._tokens[_key(connection)]
        return connection.auth_type in OAUTH

    async def _fetched(self, connection: Connection) -> tuple[Connection, _Token]:
        """A new token, fetched by one for all who wait. A run that stops waiting does not end the fetch."""
        key = _key(connection)
        task = self._fetching.get(key)
        if task is None:
            task = self._fetching[key] = asyncio.create_task(self._fetch(connection))
            task.add_done_callback(lambda _: self._fetching.pop(key, None))
        found = await asyncio.shield(task)
        if isinstance(found, errors.FlowloomError):
            raise found
        if isinstance(found, contract.RequestFailed):
            raise contract.RequestFailed(found.why, passing=found.passing, error_class=found.error_class)
        return found

    async def _fetch(self, connection: Connection) -> _Fetched:
        """What comes of asking. A server that rotates refresh tokens is asked by one process at a time: one that is
        used twice may end them all."""
        if connection.auth_type != "oauth2_refresh_token":
            return await self._fetch_now(connection)
        fetched: _Fetched = await self._patiently(lambda: self._fetch_alone(connection))
        return fetched

    async def _fetch_alone(self, connection: Connection) -> _Fetched:
        async with self._alone(connection.id):
            return await self._fetch_now(connection)

    async def _fetch_now(self, connection: Connection) -> _Fetched:
        """The same with the secrets as they are stored now: another process may have rotated them."""
        try:
            current = await self._stored(connection)
            while True:
                try:
                    return current, await self._ask(current)
                except contract.RequestFailed as failed:
                    newer = await self._stored(connection)
                    if failed.passing or newer.secret == current.secret:
                        return failed
                    current = newer
        except errors.FlowloomError as error:
            return error

    async def _stored(self, connection: Connection) -> Connection:
        found: Connection = await self._patiently(lambda: self._load(connection.company_id, connection.id))
        return found

    async def _ask(self, connection: Connection) -> _Token:
        request = _request(connection)
        response = await self._http.send(request, allowed_hosts=connection.allowed_hosts)
        answer = _decoded(response)
        text = answer.get(FETCHED)
        if response.status != 200 or not isinstance(text, str) or not text:
            raise _refusal(connection, request, response)
        rotated = answer.get("refresh_token")
        if connection.auth_type == "oauth2_refresh_token" and isinstance(rotated, str) and rotated:
            await self._keep(connection, rotated)
        token = _Token(text, self._renew_at(answer.get("expires_in")))
        self._tokens = {key: kept for key, kept in self._tokens.items() if key[0] != connection.id}
        self._tokens[_key(connection)] = token
        return token

    async def _keep(self, connection: Connection, refresh_token: str) -> None:
        if refresh_token != connection.secret["refresh_token"]:
            secret = {**connection.secret, "refresh_token": refresh_token}
            await self._patiently(lambda: self._rotate(connection, secret))

    async def _patiently(self, work: Callable[[], Awaitable[Any]]) -> Any:
        """Ask the database until it answers: what the server rotated is known nowhere else."""
        return await patience.patiently(work, self._sleep)

    def _renew_at(self, expires_in: object) -> datetime | None:
        """Shortly before the token expires: a minute, or a tenth of a short life."""
        try:
            seconds = float(expires_in) if isinstance(expires_in, int | float | str) else 0.0
        except (ValueError, OverflowError):
            return None
        if not seconds > 0:
            return None
        seconds = min(seconds, LONGEST_SECONDS)
        return self._clock() + timedelta(seconds=seconds - min(LEEWAY_SECONDS, seconds / 10))


def _key(connection: Connection) -> Key:
    return connection.id, connection.updated_at


def _request(connection: Connection) -> contract.Request:
    auth, secret = connection.auth, connection.secret
    if connection.auth_type == "oauth2_refresh_token":
        fields = {"grant_type": "refresh_token", "refresh_token": secret["refresh_token"]}
    else:
        fields = {"grant_type": "client_credentials"}
    fields |= {name: auth[name] for name in ("scope", "audience") if name in auth}
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    if auth.get("credentials_in") == "header":
        pair = f"{quote_plus(auth['client_id'])}:{quote_plus(secret.get('client_secret', ''))}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        fields["client_id"] = auth["client_id"]
        if "client_secret" in secret:
            fields["client_secret"] = secret["client_secret"]
    timeout_seconds = min(TIMEOUT_SECONDS, connection.timeout_seconds or TIMEOUT_SECONDS)
    body = urlencode(fields).encode()
    return contract.Request("POST", auth["token_url"], headers, body=body, timeout_seconds=timeout_seconds)


def _decoded(response: contract.Response) -> Mapping[str, Any]:
    """The answer's JSON object; empty when it is none."""
    try:
        answer = msgspec.json.decode(response.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _refusal(
    connection: Connection, request: contract.Request, response: contract.Response
) -> contract.RequestFailed:
    """Why there is no token, without the secrets that an echoing server may have sent back."""
    status, answer = response.status, _decoded(response)
    said = [answer[name] for name in ("error", "error_description") if isinstance(answer.get(name), str)]
    words = f": {' - '.join(said)}" if said else ""
    sent = request.headers.get("Authorization", "").rpartition(" ")[2]
    words = secrets.redact(words, (*connection.secret.values(), sent))[:_SHOWN_CHARACTERS]
    passing = status >= 500 or status in _PASSING
    given = f"answered {status}" if status != 200 else "gave no access token"
    return contract.RequestFailed(
        f"The connection {connection.name} cannot authenticate: {connection.auth['token_url']} {given}{words}.",
        passing=passing,
        error_class="unavailable" if passing else "authentication",
    )
