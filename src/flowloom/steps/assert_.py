"""The assert step: fails what is not as a test expects it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from flowloom import errors
from flowloom.domain import comparison, conditions, templates
from flowloom.domain.payload import MISSING, Payload, compile_path
from flowloom.domain.templates import Scope
from flowloom.steps import contract

_SHOWN_CHARACTERS = 80

# The path of what differs, what was expected and what was found there.
Difference = tuple[str, object, object]
Check = Callable[[object, Scope], str | None]


class Assert(contract.Config):
    body: Any = Field(
        default_factory=lambda: MISSING,
        description="What the payload must be equal to, null too. May hold templates.",
        json_schema_extra={"x-template": True},
    )
    where: dict[str, Any] | None = Field(
        None,
        validate_default=True,
        description="Or a condition that it must satisfy: {all|any|not: [...]} or {field, operator, value}.",
        json_schema_extra={"x-template": True, "x-operators": [*comparison.OPERATORS]},
    )

    @field_validator("where")
    @classmethod
    def _is_one_of_two(cls, where: dict[str, Any] | None, info: ValidationInfo) -> dict[str, Any] | None:
        if where is None and info.data["body"] is MISSING:
            raise PydanticCustomError("missing", "An assert has a body or a condition.")
        return where


def compile(config: Assert, legs: Sequence[contract.Leg]) -> contract.Compiled:
    """Raises errors.Invalid when there are both, a body and a condition."""
    check = _check(config)

    def run(context: contract.Context, payload: Payload) -> contract.Outcome:
        why = check(payload.body, context.scope(payload))
        return contract.Done([payload]) if why is None else contract.Fail(why, "assertion")

    return contract.Compiled(run)


def _check(config: Assert) -> Check:
    if config.where is None:
        return _equals(templates.compile_tree(config.body, "body"))
    if config.body is not MISSING:
        raise errors.Invalid.field("where", "An assert has exactly one of: body, where.")
    return _satisfies(config.where, "where")


def _equals(expected: templates.Tree) -> Check:
    def check(body: object, scope: Scope) -> str | None:
        found = _difference("", expected.value(scope), body)
        if found is None:
            return None
        place, wanted, got = found
        where = f"At '{place}'" if place else "In the payload"
        return f"{where} {_shown(wanted)} was expected, but there is {_shown(got)}."

    return check


def _satisfies(where: dict[str, Any], place: str) -> Check:
    """Says which part of a condition does not hold: of `all` the first that does not, else the whole."""
    holds = conditions.compile(where, place).holds
    parts = [_satisfies(part, f"{place}.all.{at}") for at, part in enumerate(where.get("all", ()))]
    said = f"The condition {_shown(where)} at {place} does not hold"

    def check(body: object, scope: Scope) -> str | None:
        if holds(body, scope):
            return None
        first = next((why for part in parts if (why := part(body, scope))), None)
        return first or f"{said}{_got(where, body)}."

    return check


def _got(where: dict[str, Any], body: object) -> str:
    field = where.get("field")
    if not isinstance(field, str) or not templates.compile(field).is_constant:
        return ""
    return f": '{field}' is {_shown(compile_path(field).get(body))}"


def _difference(place: str, expected: object, got: object) -> Difference | None:
    """The first difference between two JSON values; 1 and 1.0 are equal, 1 and true are not."""
    if isinstance(expected, dict) and isinstance(got, dict):
        keys = dict.fromkeys([*expected, *got])
        pairs = ((key, expected.get(key, MISSING), got.get(key, MISSING)) for key in keys)
        return _first(place, pairs)
    if isinstance(expected, list) and isinstance(got, list):
        longest = range(max(len(expected), len(got)))
        pairs = ((str(at), _item(expected, at), _item(got, at)) for at in longest)
        return _first(place, pairs)
    is_equal = expected == got and isinstance(expected, bool) == isinstance(got, bool)
    return None if is_equal else (place, expected, got)


def _first(place: str, pairs: Any) -> Difference | None:
    for key, expected, got in pairs:
        found = _difference(f"{place}.{key}" if place else key, expected, got)
        if found is not None:
            return found
    return None


def _item(items: list[object], at: int) -> object:
    return items[at] if at < len(items) else MISSING


def _shown(value: object) -> str:
    if value is MISSING:
        return "nothing"
    if isinstance(value, bytes):
        return f"a body of {len(value):,} bytes"
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"


TYPE = contract.StepType(
    microservice="assert",
    title="Assert",
    help=(
        "A test inside a flow: the payload must be equal to `body`, or satisfy the condition in `where`, and "
        "then goes on as it is. Numbers are compared by value and the order of keys does not matter."
    ),
    failure=(
        "A payload that is not as expected fails with the class `assertion`; the message says where the first "
        "difference is, what was expected and what is there."
    ),
    config=Assert,
    compile=compile,
    examples=[
        contract.Example(
            "The order as it should be",
            {"body": {"id": 7, "shop": "{{shop}}"}},
            payloads=[{"shop": "nl", "id": 7}],
            expect=[{"shop": "nl", "id": 7}],
            variables={"shop": "nl"},
        ),
        contract.Example(
            "At least one line, and a customer",
            {
                "where": {
                    "all": [
                        {"field": "lines", "operator": "is_not_empty"},
                        {"field": "customer", "operator": "is_not_empty"},
                    ]
                }
            },
            payloads=[{"lines": [1], "customer": "Ann"}],
            expect=[{"lines": [1], "customer": "Ann"}],
        ),
    ],
)
