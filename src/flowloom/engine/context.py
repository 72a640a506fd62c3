"""The Context that the steps of a run are given: what they may see of it, and the way to the world outside."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from flowloom.domain import templates
from flowloom.domain.payload import MISSING, Payload
from flowloom.engine import calls, children, connections
from flowloom.engine.active import Active, Level
from flowloom.engine.plan import PlanStep
from flowloom.engine.surroundings import Surroundings
from flowloom.steps import aside, contract, outside
from flowloom.store import caches, pools, redaction
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
        self._secrets: Mapping[str, str] = active.secret_variables if step.compiled.takes_secrets else {}
        self._of_connection: Mapping[str, object] = {}
        self.cursor: Any = None
        self.waited: Any = None
        self.position = "0"
        # Of a payload that the step has worked on before in this walk, nothing is noted again.
        self.is_repeat = False
        # Set from another thread than the one that works on the step.
        self.is_given_up = False

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

    def idempotency_key(self, content: bytes) -> str:
        """32 hex digits of the sha256 over origin run, step key, payload position and what is sent but for secrets.

        What is sent counts, since a retry on another version may send something else for the same payload: a
        receiver that drops what it knows must not drop that. It is the same with another password, and shown, so
        that nobody must be able to try passwords on it.
        """
        if self._secrets:
            content = redaction.body(content, self._secrets.values())
        identity = f"{self._active.row.origin_run_id}/{self._step.key}/{self.position}/".encode()
        return hashlib.sha256(identity + content).hexdigest()[:32]

    def scope(self, payload: Payload) -> templates.Scope:
        variables: Mapping[str, object] = self._variables
        if self._of_connection or self._secrets:
            # A run may still bring a variable that is a secret by now: what the version says counts.
            variables = {**self._of_connection, **variables, **self._secrets}
        if self._step.variables is not None:
            outer = templates.Scope(variables, payload.body, self.now, payload.meta, self._active.lookups)
            own = self._step.variables.value(outer)
            variables = {**variables, **own} if isinstance(own, dict) else variables
        return templates.Scope(variables, payload.body, self.now, payload.meta, self._active.lookups)

    def set_variable(self, name: str, value: object) -> None:
        self._variables[name] = value

    def check(self) -> None:
        if self.is_given_up:
            raise contract.GivenUp

    def log(self, level: Level, message: str) -> None:
        if self.is_repeat:
            return
        self._active.log(self._step.key, level, message)

    async def fetch(self, request: contract.Request) -> contract.Response:
        origin = calls.Origin(self._active, self._step.key, self.position, self._loaded, self._around.record)
        return await self._around.calls.fetch(origin, request)

    async def query(self, query: outside.Query) -> outside.Rows:
        return await self._around.systems.query(await self._connection(query.connection_id), query)

    async def execute(self, execution: outside.Execution) -> int:
        return await self._around.systems.execute(await self._connection(execution.connection_id), execution)

    async def files(self, request: outside.FileRequest) -> Sequence[outside.File]:
        return await self._around.systems.files(await self._connection(request.connection_id), request)

    async def see_connection(self, connection_id: int) -> None:
        connection = await self._loaded(self._active.row.company_id, connection_id)
        self._of_connection = connection.variables
        of_connection = connection.secret_variables
        self._active.secrets.update(of_connection.values())
        self._secrets = {
            **{name: value for name, value in of_connection.items() if name not in self._variables},
            **self._active.secret_variables,
        }

    async def _connection(self, id: int) -> Connection:
        connection = await self._loaded(self._active.row.company_id, id)
        self._active.secrets |= connections.secret_words(connection)
        return connection

    async def _loaded(self, company_id: int, id: int) -> Connection:
        found: Connection = await self._around.keep(lambda: self._around.load_connection(company_id, id))
        return found

    def track(self, entity_type: str, value: str, direction: str) -> None:
        if self.is_repeat:
            return
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

    async def start_child(self, child: contract.Child) -> contract.ChildState:
        return await children.start(self._around, self._active, self._place, child)

    async def child(self, run_id: int) -> contract.ChildState:
        return await children.look(self._around, self._active, run_id)

    async def cached(self, scope: str, key: str) -> object:
        row = self._active.row
        where = caches.place(row.company_id, row.flow_id, row.origin_run_id, scope, key)
        read, at = self._around.database.read, self.clock_now
        value = await self._around.keep(lambda: read(caches.load, where, at))
        return MISSING if value is None else await aside.run(len(value), msgspec.json.decode, value)

    async def claim_keys(self, pool: str, keys: Sequence[str], *, claim: bool = True) -> Sequence[bool]:
        new: set[int] = set()
        for begin in range(0, len(keys), pools.CHUNK):
            some = dict(enumerate(keys[begin : begin + pools.CHUNK], begin))
            new |= await self._around.keep(partial(self._new_keys, pool, some, claim=claim))
        return [number in new for number in range(len(keys))]

    async def _new_keys(self, pool: str, keys: Mapping[int, str], *, claim: bool) -> set[int]:
        row, around = self._active.row, self._around
        if not claim:
            return await around.database.read(pools.unknown, row.company_id, pool, keys)
        attempt = hashlib.blake2b(f"{row.id}/{row.fence}".encode(), digest_size=4).hexdigest()
        is_held = partial(self._active.past.is_held, self._step.key)
        holder = pools.Holder(row.id, self._step.key, self.position, attempt, is_held)
        asked = row.company_id, pool, holder, keys, self.clock_now
        new = await around.journal.write(self._active.held, pools.claim, *asked)
        self._around.reach("keys-claimed")
        return new

    @property
    def _place(self) -> str:
        return f"{self._step.key}/{self.position}"
