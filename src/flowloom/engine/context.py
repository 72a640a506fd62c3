"""The Context that the steps of a run are given: what they may see of it, and the way to the world outside."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flowloom.domain import templates
from flowloom.domain.payload import Payload
from flowloom.engine import children, connections
from flowloom.engine.active import Active, Level
from flowloom.engine.plan import PlanStep
from flowloom.engine.surroundings import Surroundings
from flowloom.steps import aside, contract
from flowloom.store.connections import Connection


class StepContext:
    """The contract's Context, for one step of one run and, in an effect, for one payload."""

    def __init__(
        self, active: Active, step: PlanStep, variables: dict[str, Any], around: Surroundings
    ) -> None:
        self._active = active
        self._step = step
        self._variables = variables
        self._around = around
        self._of_connection: Mapping[str, object] = {}
        self.cursor: Any = None
        self.waited: Any = None
        self.position = "0"

    @property
    def now(self) -> datetime:
        as_of: datetime = self._active.row.as_of
        return as_of

    @property
    def clock_now(self) -> datetime:
        return self._active.clock()

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
        if self._of_connection:
            variables = {**self._of_connection, **variables}
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
            return await self._around.http.send(request)
        connection = await self._connection(request.connection_id)
        response = await self._around.http.send(
            connections.apply(request, connection),
            allowed_hosts=connections.allowed_hosts(connection),
            secret_headers=connections.secret_headers(connection),
        )
        return await aside.run(len(response.body), self._active.redact_answer, response)

    async def see_connection(self, connection_id: int) -> None:
        self._of_connection = (await self._connection(connection_id)).variables

    async def _connection(self, id: int) -> Connection:
        company_id = self._active.row.company_id
        connection: Connection = await self._around.keep(lambda: self._around.load_connection(company_id, id))
        # `Basic` joins user and password to one word, which tells as much as the password.
        sent = (value.rpartition(" ")[2] for value in connections.auth_headers(connection).values())
        self._active.secrets.update(connection.secret.values(), sent)
        return connection

    def track(self, entity_type: str, value: str, direction: str) -> None:
        row = self._active.row
        self._active.lines.tracked.append(
            {
                "company_id": row.company_id,
                "flow_id": row.flow_id,
                "flow_version_id": row.flow_version_id,
                "run_id": row.id,
                "step_key": self._step.key,
                "entity_type": entity_type,
                "value": value,
                "direction": direction,
                "created_at": self._active.clock(),
            }
        )

    async def start_child(self, child: contract.Child) -> int:
        return await children.start(self._around, self._active, self._place, child)

    async def child(self, run_id: int) -> contract.ChildState:
        read, store = self._around.database.read, self._around.blobs
        state: contract.ChildState = await self._around.keep(lambda: read(children.state, store, run_id))
        return state

    @property
    def _place(self) -> str:
        return f"{self._step.key}/{self.position}"
