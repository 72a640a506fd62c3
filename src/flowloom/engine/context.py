"""What a run knows of itself while it is worked on, and the Context that its steps are given."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row

from flowloom.domain import templates
from flowloom.domain.payload import Payload
from flowloom.engine import connections
from flowloom.engine.http import Client
from flowloom.engine.plan import PlanStep
from flowloom.engine.systems import Systems
from flowloom.steps import aside, contract, outside
from flowloom.store import secrets
from flowloom.store.connections import Connection

Level = Literal["debug", "info", "warning", "error"]
LoadConnection = Callable[[int, int], Awaitable[Connection]]
MAX_MESSAGE = 2000
MIN_ANSWER_SECRET = 8


@dataclass(frozen=True, slots=True)
class Bucket:
    """The payloads a step is given, and the variables as they stand on this leg of the run."""

    payloads: Sequence[Payload]
    variables: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was checkpointed of one effect for one payload: what it made so far, and where it goes on, if it does.

    `rows` counts the rows that say so: one for each payload and one for each answer without any.
    """

    payloads: Sequence[Payload] = ()
    cursor: Any = None
    rows: int = 0


@dataclass(slots=True)
class StepTally:
    """What one step did in this run, for the run's summary."""

    payloads_in: int = 0
    payloads_out: int = 0
    attempts: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Active:
    """A run in this process: its row, what was recorded before, and what is not written yet."""

    row: Row[Any]
    clock: Callable[[], datetime]
    recorded: Mapping[tuple[str, str], Recorded] = field(default_factory=dict)
    logs: list[dict[str, Any]] = field(default_factory=list)
    payloads: list[dict[str, Any]] = field(default_factory=list)
    metrics: Counter[tuple[str, str]] = field(default_factory=Counter)
    tallies: dict[str, StepTally] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    has_warnings: bool = False
    # How many branches of the plan wait for the one that is walked, or are walked beside it.
    other_branches: int = 0

    def log(self, step_key: str | None, level: Level, message: str) -> None:
        """Add a log line; it is written with the next checkpoint or the end."""
        self.has_warnings = self.has_warnings or level == "warning"
        self.logs.append(
            {
                "run_id": self.row.id,
                "step_key": step_key,
                "level": level,
                "message": self.redact(message),
                "created_at": self.clock(),
            }
        )

    def redact(self, message: str) -> str:
        """A message as it may be shown: without the secrets that this run has used so far, and cut."""
        if self.secrets:
            message = secrets.redact(message, tuple(self.secrets))
        return message.replace("\0", "")[:MAX_MESSAGE]

    def redact_answer(self, response: contract.Response) -> contract.Response:
        """An answer without the secrets that an echoing server sent back: it becomes a payload that many may read."""
        # As latin-1 any bytes are text. A short secret is left alone here: the word "admin" is business data too.
        hidden = [
            secret.encode().decode("latin-1")
            for secret in tuple(self.secrets)
            if len(secret) >= MIN_ANSWER_SECRET
        ]
        if not hidden:
            return response
        body = secrets.redact(response.body.decode("latin-1"), hidden).encode("latin-1")
        headers = {name: secrets.redact(value, hidden) for name, value in response.headers.items()}
        return dataclasses.replace(response, body=body, headers=headers)

    def tally(self, step_key: str) -> StepTally:
        return self.tallies.setdefault(step_key, StepTally())

    def take_unwritten(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The payloads and log lines that are not written yet; they count as taken."""
        taken = self.payloads, self.logs
        self.payloads, self.logs = [], []
        return taken


class StepContext:
    """The contract's Context, for one step of one run and, in an effect, for one payload."""

    def __init__(
        self,
        active: Active,
        step: PlanStep,
        variables: dict[str, Any],
        http: Client,
        load_connection: LoadConnection,
        systems: Systems,
    ) -> None:
        self._active = active
        self._step = step
        self._variables = variables
        self._http = http
        self._load_connection = load_connection
        self._systems = systems
        self.cursor: Any = None
        self.position = "0"

    @property
    def now(self) -> datetime:
        as_of: datetime = self._active.row.as_of
        return as_of

    @property
    def variables(self) -> Mapping[str, object]:
        return self._variables

    @property
    def idempotency_key(self) -> str:
        """32 hex digits of the sha256 over origin run, step key and payload position."""
        identity = f"{self._active.row.origin_run_id}/{self._step.key}/{self.position}"
        return hashlib.sha256(identity.encode()).hexdigest()[:32]

    def scope(self, payload: Payload) -> templates.Scope:
        variables: Mapping[str, object] = self._variables
        if self._step.variables is not None:
            outer = templates.Scope(variables, payload.body, self.now, payload.meta)
            own = self._step.variables.value(outer)
            variables = {**variables, **own} if isinstance(own, dict) else variables
        return templates.Scope(variables, payload.body, self.now, payload.meta)

    def set_variable(self, name: str, value: object) -> None:
        self._variables[name] = value

    def log(self, level: Level, message: str) -> None:
        self._active.log(self._step.key, level, message)

    async def fetch(self, request: contract.Request) -> contract.Response:
        if request.connection_id is None:
            return await self._http.send(request)
        connection = await self._connection(request.connection_id)
        response = await self._http.send(
            connections.apply(request, connection),
            allowed_hosts=connections.allowed_hosts(connection),
            secret_headers=connections.secret_headers(connection),
        )
        return await aside.run(len(response.body), self._active.redact_answer, response)

    async def query(self, query: outside.Query) -> outside.Rows:
        return await self._systems.query(await self._connection(query.connection_id), query)

    async def execute(self, execution: outside.Execution) -> int:
        return await self._systems.execute(await self._connection(execution.connection_id), execution)

    async def files(self, request: outside.FileRequest) -> Sequence[outside.File]:
        return await self._systems.files(await self._connection(request.connection_id), request)

    async def _connection(self, id: int) -> Connection:
        connection = await self._load_connection(self._active.row.company_id, id)
        # `Basic` joins user and password to one word, which tells as much as the password.
        sent = (value.rpartition(" ")[2] for value in connections.auth_headers(connection).values())
        self._active.secrets.update(connection.secret.values(), sent)
        return connection
