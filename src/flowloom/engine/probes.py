"""Trying a connection once, as steps would use it: one request to its base URL, or one login. No run, nothing kept.

It goes the way of every call: an open breaker refuses it, a rate limit holds it up, a success closes the circuit.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final, Literal

from flowloom.engine import calls
from flowloom.engine.active import Active
from flowloom.engine.surroundings import Surroundings
from flowloom.steps import contract, outside
from flowloom.store import journal
from flowloom.store.connections import Connection

PROBE_SECONDS: Final = 20
SHOWN_CHARACTERS: Final = 300
# No run has this id.
_NO_RUN: Final = 0
_REFUSED: Final = frozenset({401, 403})
_FIRST_FAULT, _FIRST_SERVER_FAULT = 400, 500
_SERVES: Final = {
    "sftp": "The file server let {username} in.",
    "postgresql": "The database let {username} in and answered.",
    "mysql": "The database let {username} in and answered.",
    "sqlite": "The file {file} was opened and answered.",
}
Result = Literal["works", "reached", "failed"]


@dataclass(frozen=True, slots=True)
class Probed:
    """`reached` is there, yet says nothing about the credentials. `answer` is the beginning of what it said."""

    result: Result
    message: str
    duration_ms: int = 0
    status: int | None = None
    answer: str | None = None


class Probes:
    """Tries connections; `run` may be called many times at once."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def run(self, company_id: int, connection_id: int) -> Probed:
        """Raises errors.Missing."""
        connection = await self._around.load_connection(company_id, connection_id)
        about: Any = SimpleNamespace(id=_NO_RUN, company_id=company_id, as_of=self._around.clock())
        run = Active(about, self._around.clock, secrets=set(connection.secret.values()))
        began = time.perf_counter()
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                found = await self._tried(connection, run)
        except contract.RequestFailed as failed:
            found = Probed("failed", run.redact(failed.why))
        except TimeoutError:
            found = Probed("failed", f"There was no answer within {PROBE_SECONDS} seconds.")
        took_ms = round((time.perf_counter() - began) * 1000)
        return Probed(found.result, found.message, took_ms, found.status, found.answer)

    async def _tried(self, connection: Connection, run: Active) -> Probed:
        systems = self._around.systems
        match connection.protocol:
            case "http":
                return _judged(connection, await self._asked(connection, run))
            case "sftp":
                # It signs in and looks where it is; a directory is no file to be read.
                await systems.files(connection, outside.FileRead(connection.id, "."))
            case _:
                await systems.query(connection, outside.Query(connection.id, "SELECT 1 AS one", {}, 0, 1))
        return Probed("works", _SERVES[connection.protocol].format(**connection.auth))

    async def _asked(self, connection: Connection, run: Active) -> contract.Response:
        """What the base URL answers, without secrets."""
        origin = calls.Origin(run, "", "", self._around.load_connection, _keep_nothing)
        request = contract.Request("GET", "", connection_id=connection.id, timeout_seconds=PROBE_SECONDS)
        return await self._around.calls.fetch(origin, request)


async def _keep_nothing(_lines: journal.Lines) -> None:
    """What a run would write while it waits."""


def _judged(connection: Connection, response: contract.Response) -> Probed:
    status = response.status
    result: Result = "reached"
    if status < _FIRST_FAULT:
        return Probed("works", f"It answered {status}.", status=status)
    if status in _REFUSED:
        result, why = "failed", _refusal(connection)
    elif status >= _FIRST_SERVER_FAULT:
        result, why = "failed", "the system is not well"
    else:
        why = "the system is there, and what it says at the base URL tells nothing about the credentials"
    return Probed(result, f"It answered {status}: {why}.", status=status, answer=_beginning(response))


def _refusal(connection: Connection) -> str:
    if connection.auth_type == "none":
        return "it wants credentials, and this connection has none"
    return "it does not take these credentials for the base URL"


def _beginning(response: contract.Response) -> str | None:
    """The first characters of a text."""
    kind = response.headers.get("content-type", "")
    if not kind.startswith("text/") and "json" not in kind and "xml" not in kind:
        return None
    text = response.body[: SHOWN_CHARACTERS * 4].decode(errors="replace").strip()
    return text.replace("\0", "")[:SHOWN_CHARACTERS] or None
