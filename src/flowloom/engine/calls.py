"""How a request of a step goes out: through its connection's circuit, line and authentication, and onto record."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from flowloom.engine import connections, exchanges, tracing
from flowloom.engine.active import Active
from flowloom.engine.circuits import Circuits
from flowloom.engine.http import Client
from flowloom.engine.tokens import Tokens
from flowloom.engine.turns import Turns
from flowloom.steps import aside, contract
from flowloom.store import journal
from flowloom.store.connections import Connection

LoadConnection = Callable[[int, int], Awaitable[Connection]]
Record = Callable[[journal.Lines], Awaitable[None]]
TOLD_SECONDS: Final = 1.0
TOLD_EVERY_SECONDS: Final = 10.0
_UNAUTHORISED: Final = 401
_TOO_MANY: Final = 429
_FIRST_SERVER_FAULT: Final = 500


class Origin(msgspec.Struct, frozen=True):
    """Who calls: a run, at which step and for which payload, and how it loads its connections."""

    run: Active
    step_key: str
    position: str
    load_connection: LoadConnection
    record: Record


class _InLine(msgspec.Struct, frozen=True):
    """Who calls, before the rate limit of a connection."""

    origin: Origin
    connection_id: int

    async def waits_for_turn(self, seconds: float) -> None:
        """Say so while it waits, once it is a second in all, and then the more seldom the longer it has waited."""
        run, step_key = self.origin.run, self.origin.step_key
        tally, now = run.tally(step_key), run.clock()
        so_far = (tally.waited or {}).get("rate_limit", 0.0)
        if so_far + seconds < TOLD_SECONDS or (tally.told_at and now < tally.told_at + _pause(so_far)):
            return
        tally.told_at = now
        in_all = f", after {so_far:.0f} s in all" if so_far else ""
        run.log(step_key, "info", f"Waits about {seconds:.1f} s for its turn under the rate limit{in_all}.")
        await self.origin.record(run.take_unwritten())

    async def rate_limit(self) -> Mapping[str, Any] | None:
        connection = await self.origin.load_connection(self.origin.run.row.company_id, self.connection_id)
        return connection.rate_limit

    def waited_for_turn(self, seconds: float) -> None:
        self.origin.run.tally(self.origin.step_key).wait("rate_limit", seconds)


def _pause(waited_seconds: float) -> timedelta:
    """How long a step that has waited so long says nothing of its waits."""
    return timedelta(seconds=max(TOLD_EVERY_SECONDS, waited_seconds / TOLD_EVERY_SECONDS))


class _Outgoing(msgspec.Struct, frozen=True):
    """A request as it goes out; `allowed_hosts` None is anywhere."""

    request: contract.Request
    allowed_hosts: Sequence[str] | None = None
    kept_headers: frozenset[str] = frozenset()
    secret_headers: frozenset[str] = frozenset()

    def carrying(self, headers: Mapping[str, str]) -> _Outgoing:
        """The same with the headers of its trace."""
        if not headers:
            return self
        return msgspec.structs.replace(self, request=tracing.carry(self.request, headers))


class Calls:
    """Makes the calls of all runs of this process."""

    def __init__(
        self,
        http: Client,
        tokens: Tokens,
        turns: Turns,
        circuits: Circuits,
        clock: Callable[[], datetime],
    ) -> None:
        self._http = http
        self._tokens = tokens
        self._turns = turns
        self._circuits = circuits
        self._clock = clock

    async def close(self) -> None:
        """Let tokens that are on their way arrive; before the client is closed."""
        await self._tokens.close()

    @property
    def waiting(self) -> int:
        """How many requests wait for their turn under a rate limit."""
        return self._turns.waiting

    async def fetch(self, origin: Origin, request: contract.Request) -> contract.Response:
        """Make a request; an access token that is refused is renewed once. Raises RequestFailed, Missing."""
        if request.connection_id is None:
            kept_headers = _with_secret(request, origin.run.secrets)
            return await self._exchange(origin, _Outgoing(request, kept_headers=kept_headers))
        connection = await origin.load_connection(origin.run.row.company_id, request.connection_id)
        if request.renews_token:
            self._tokens.forget(connection, origin.run.secrets)
        response, used = await self._call(origin, connection, request)
        if response.status == _UNAUTHORISED and self._tokens.forget(used, used.secret.values()):
            response, _ = await self._call(origin, connection, request)
        return response

    async def _call(
        self, origin: Origin, connection: Connection, request: contract.Request
    ) -> tuple[contract.Response, Connection]:
        """The answer, and the connection with the secrets that were used."""
        self._circuits.check(connection, self._clock())
        await self._turns.take(connection, _InLine(origin, connection.id))
        origin.run.secrets.update(connection.secret.values())
        connection = await self._tokens.ready(connection)
        origin.run.secrets |= connections.secret_words(connection)
        auth = connections.auth_headers(connection)
        outgoing = _Outgoing(
            connections.apply(request, connection),
            connections.allowed_hosts(connection),
            _with_secret(request, origin.run.secrets).union(connections.secret_headers(connection)),
            frozenset(name.lower() for name in auth),
        )
        await self._circuits.admit(connection)
        with self._circuits.attempt(connection, self._clock) as attempt:
            try:
                response = await self._exchange(origin, outgoing)
            except contract.RequestFailed as failed:
                attempt.failed = True if failed.passing else None
                raise
            attempt.failed = _is_passing(response)
        return response, connection

    async def _exchange(self, origin: Origin, outgoing: _Outgoing) -> contract.Response:
        """Send it, keep evidence, and answer without the run's secrets."""
        began = time.perf_counter()
        try:
            with origin.run.trace.request(origin.step_key, outgoing.request) as span:
                outgoing = outgoing.carrying(span.headers)
                response = await self._http.send(
                    outgoing.request,
                    allowed_hosts=outgoing.allowed_hosts,
                    secret_headers=outgoing.kept_headers,
                )
                span.answered(response.status)
        except contract.RequestFailed as failed:
            self._record(origin, outgoing, None, failed.why, time.perf_counter() - began)
            raise
        seconds = time.perf_counter() - began
        if origin.run.secrets:
            response = await aside.run(len(response.body), origin.run.redact_answer, response)
        self._record(origin, outgoing, response, None, seconds)
        return response

    def _record(
        self,
        origin: Origin,
        outgoing: _Outgoing,
        response: contract.Response | None,
        error: str | None,
        seconds: float,
    ) -> None:
        row = exchanges.row(
            run_id=origin.run.row.id,
            step_key=origin.step_key,
            position=origin.position,
            request=outgoing.request,
            response=response,
            error=error,
            duration_ms=round(seconds * 1000),
            at=self._clock(),
            hidden=origin.run.secrets,
            secret_headers=outgoing.secret_headers,
        )
        origin.run.lines.exchanges.append(row)


def _with_secret(request: contract.Request, secrets: Collection[str]) -> frozenset[str]:
    """The headers, lower case, in which a step has put a secret: they follow no redirect to another host."""
    return frozenset(
        name.lower() for name, value in request.headers.items() if any(secret in value for secret in secrets)
    )


def _is_passing(response: contract.Response) -> bool:
    """Whether an answer says that the system is not well: it counts towards the breaker."""
    if response.status == _TOO_MANY:
        return "retry-after" not in response.headers
    return response.status >= _FIRST_SERVER_FAULT
