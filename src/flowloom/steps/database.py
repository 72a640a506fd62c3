"""A connector's work in a database: receives rows page by page, or writes the records of each payload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypedDict

from pydantic import Field, JsonValue

from flowloom import errors
from flowloom.domain import bulk, templates
from flowloom.domain.payload import Payload
from flowloom.steps import aside, contract, outside, row_order

KEY_PARAMETER: Final = "idempotency_key"
AFTER_PARAMETER: Final = "after"


class After(contract.Config):
    column: str = Field(
        min_length=1,
        max_length=255,
        description="The column by which the rows are sorted, rising, each value once and never NULL; others fail",
    )
    start: JsonValue = Field(description="What :after is for the first page, such as 0")


class Sql(contract.Config):
    statement: str = Field(
        min_length=1,
        max_length=100_000,
        description="One statement; `:name` in it stands for a parameter. It is no template",
    )
    parameters: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="Values of the parameters, by name; a send fills them in for each record. "
        ":idempotency_key is there without being named: equal when the same record is sent again",
        json_schema_extra={"x-template": True},
    )
    page_size: int = Field(1000, ge=1, le=10_000, description="A receive's rows to a payload")
    after: After | None = Field(
        None,
        description="How a receive gets to the next page: the statement asks for what is greater than :after. "
        "Unset, it is executed again for each page and the rows before are passed over, so it needs an ORDER BY",
    )


class _State(TypedDict):
    """The cursor: which page it is, how many rows are passed over, and the last and first row's value of `after`."""

    page: int
    skip: int
    after: Any
    first: Any


@dataclass(frozen=True, slots=True)
class _Work:
    """A connector step with a statement, compiled."""

    config: Sql
    connection_id: int
    timeout_seconds: float
    parameters: templates.Tree

    async def receive(self, context: contract.Context, incoming: Payload) -> contract.Outcome:
        state: _State = context.cursor or self._start()
        values = self._values(context.scope(incoming), {AFTER_PARAMETER: state["after"]})
        query = outside.Query(
            self.connection_id,
            self.config.statement,
            values,
            state["skip"],
            self.config.page_size,
            self.timeout_seconds,
        )
        try:
            found = await context.query(query)
            following = self._following(state, found)
        except contract.RequestFailed as error:
            return contract.failed(error)
        if not found.rows:
            return contract.Done([])
        position = f"{incoming.position}.{state['page']}"
        made = Payload(list(found.rows), meta=incoming.meta, position=position, size_bytes=found.size_bytes)
        return contract.Done([made], following)

    async def send(self, context: contract.Context, incoming: Payload) -> contract.Outcome:
        size_bytes = incoming.size_bytes + aside.about_bytes(context.variables)
        every = await aside.run(size_bytes, self._every, context, incoming)
        count = 0
        if every:
            execution = outside.Execution(
                self.connection_id, self.config.statement, every, self.timeout_seconds
            )
            try:
                count = await context.execute(execution)
            except contract.RequestFailed as error:
                return contract.failed(error)
        meta = {**incoming.meta, "rows": str(count)}
        return contract.Done(
            [Payload(incoming.body, incoming.content_type, meta, incoming.position, incoming.size_bytes)]
        )

    def _start(self) -> _State:
        start = self.config.after.start if self.config.after is not None else None
        return {"page": 0, "skip": 0, "after": start, "first": None}

    def _following(self, state: _State, found: outside.Rows) -> _State | None:
        """The state of the next page, if there is one. Raises RequestFailed where `after` would pass over rows."""
        page, after, rows = state["page"] + 1, self.config.after, found.rows
        if after is not None and rows and state["page"]:
            row_order.require_new(after.column, rows[0], state["after"], state["first"])
        if found.following is None:
            return None
        if after is None:
            return {"page": page, "skip": state["skip"] + len(rows), "after": None, "first": None}
        row_order.require_rising(after.column, [*rows, found.following])
        first = state["first"] if state["page"] else rows[0][after.column]
        return {"page": page, "skip": 0, "after": rows[-1][after.column], "first": first}

    def _every(self, context: contract.Context, incoming: Payload) -> list[Mapping[str, object]]:
        """The parameters for each record of a payload, or for the payload itself if it is no list."""
        is_list = incoming.has_records and isinstance(incoming.body, list)
        records: Any = incoming.body if is_list else [incoming.body]
        return [
            self._values(
                context.scope(incoming.with_body(record)), {KEY_PARAMETER: self._key(context, at, record)}
            )
            for at, record in enumerate(records)
        ]

    def _key(self, context: contract.Context, at: int, record: object) -> str:
        sent = f"{at} {self.config.statement} ".encode() + bulk.encode(record)
        return context.idempotency_key(sent)

    def _values(self, scope: templates.Scope, implied: Mapping[str, object]) -> Mapping[str, object]:
        values: Any = self.parameters.value(scope)
        return {**implied, **values}


def compile(config: Sql, connection_id: int, timeout_seconds: float, *, is_send: bool) -> contract.Run:
    """Raises errors.Invalid on a statement of blanks, and on the parameter whose template is wrong."""
    if not config.statement.strip(" \t\r\n;"):
        raise errors.Invalid.field("sql.statement", "Write a statement.")
    parameters = templates.compile_tree(config.parameters, "sql.parameters")
    work = _Work(config, connection_id, timeout_seconds, parameters)
    return work.send if is_send else work.receive
