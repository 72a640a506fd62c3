"""The cache step: keeps values for later steps and runs, and gives them back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import msgspec
from msgspec.structs import replace
from pydantic import Field

from flowloom import errors
from flowloom.domain import templates
from flowloom.domain.payload import JSON_TYPE, MISSING, Path, Payload, assign, compile_path
from flowloom.steps import aside, contract

MAX_KEY_CHARACTERS: Final = 255
MAX_VALUE_BYTES: Final = 1024 * 1024
MAX_TTL_SECONDS: Final = 10 * 366 * 24 * 3600


class Cache(contract.Config):
    action: Literal["add", "append", "load", "delete"] = Field(
        description="add sets the entry, append adds an item to its list, load gives it, delete removes it."
    )
    scope: Literal["run", "flow", "company"] = Field(
        "flow", description="Who shares the entry: this run and its retries, the flow's runs, or all flows."
    )
    key: str = Field(
        description="Name of the entry; a template.", min_length=1, json_schema_extra={"x-template": True}
    )
    value: Any = Field(
        None,
        description="What add and append keep, text or JSON with templates; absent, the payload's body.",
        json_schema_extra={"x-template": True},
    )
    ttl_seconds: int | None = Field(
        None,
        ge=1,
        le=MAX_TTL_SECONDS,
        description="After how long the entry is gone; absent, never. An append without it leaves that as it is.",
    )
    on_miss: Literal["fail", "go_on"] = Field(
        "fail", description="What a load does without an entry: fail, or hand the payload on as it is."
    )
    target: str | None = Field(
        None, description="Where a load puts the value in the payload; absent, the value becomes the payload."
    )


def compile(config: Cache, legs: Sequence[contract.Leg]) -> contract.Compiled:
    """Raises errors.Invalid on a template or path that is wrong, or a field that the action does not have."""
    _require_own(config)
    key = templates.compile(config.key, "key")
    act = _ACTIONS[config.action](config)

    async def run(context: contract.Context, payload: Payload) -> contract.Outcome:
        name = key.render(context.scope(payload))
        if not 1 <= len(name) <= MAX_KEY_CHARACTERS or "\0" in name:
            return contract.Fail(f"The key {name[:80]!r} has not 1 to {MAX_KEY_CHARACTERS} characters.")
        outcome: contract.Outcome = await act(context, payload, name)
        return outcome

    return contract.Compiled(run, effect=True)


def _require_own(config: Cache) -> None:
    for field, actions in (
        ("value", ("add", "append")),
        ("ttl_seconds", ("add", "append")),
        ("on_miss", ("load",)),
        ("target", ("load",)),
    ):
        if field in config.model_fields_set and config.action not in actions:
            raise errors.Invalid.field(
                field, f"'{field}' goes with {' and '.join(actions)} only; leave it out."
            )


def _keeping(config: Cache) -> Any:
    """add and append."""
    has_value = "value" in config.model_fields_set
    tree = templates.compile_tree(config.value, "value")
    is_append = config.action == "append"

    async def act(context: contract.Context, payload: Payload, key: str) -> contract.Outcome:
        value = tree.value(context.scope(payload)) if has_value else payload.body
        if isinstance(value, bytes):
            return contract.Fail(f"A cache keeps JSON and text, but the payload is {payload.content_type}.")
        size_bytes = len(await aside.run(aside.about_bytes(value), msgspec.json.encode, value))
        if is_append:
            size_bytes += await _size_bytes(context, config.scope, key)
        if size_bytes > MAX_VALUE_BYTES:
            return contract.Fail(
                f"The cache entry '{key}' would have {size_bytes:,} bytes; it may have {MAX_VALUE_BYTES:,}."
            )
        write = contract.Put(config.scope, key, value, is_append, _expires_at(config, context.clock_now))
        return contract.Done([payload], writes=[write])

    return act


async def _size_bytes(context: contract.Context, scope: str, key: str) -> int:
    """How large an entry is already. What others add at the same moment may carry it somewhat over the limit."""
    there = await context.cached(scope, key)
    return 0 if there is MISSING else len(msgspec.json.encode(there))


def _expires_at(config: Cache, now: datetime) -> datetime | None:
    return None if config.ttl_seconds is None else now + timedelta(seconds=config.ttl_seconds)


def _loading(config: Cache) -> Any:
    target = None if config.target is None else compile_path(config.target, "target")
    if target is not None and (not target.segments or target.segments[0].is_star):
        raise errors.Invalid.field(
            "target", "A target begins with a key, such as 'customer' or 'order.stock'."
        )

    async def act(context: contract.Context, payload: Payload, key: str) -> contract.Outcome:
        value = await context.cached(config.scope, key)
        if value is not MISSING:
            return _loaded(payload, target, value)
        if config.on_miss == "fail":
            return contract.Fail(f"There is no cache entry '{key}' of this {config.scope}.")
        context.log("info", f"There is no cache entry '{key}' of this {config.scope}.")
        return contract.Done([payload])

    return act


def _loaded(payload: Payload, target: Path | None, value: object) -> contract.Outcome:
    size_bytes = payload.size_bytes + aside.about_bytes(value)
    if target is None:
        return contract.Done([replace(payload, body=value, content_type=JSON_TYPE, size_bytes=size_bytes)])
    if not isinstance(payload.body, dict):
        return contract.Fail("The value has a target in the payload, but the payload is no JSON object.")
    body = dict(payload.body)
    assign(body, target, value)
    return contract.Done([replace(payload, body=body, size_bytes=size_bytes)])


def _deleting(config: Cache) -> Any:
    async def act(context: contract.Context, payload: Payload, key: str) -> contract.Outcome:
        return contract.Done([payload], writes=[contract.Drop(config.scope, key)])

    return act


_ACTIONS: Final = {"add": _keeping, "append": _keeping, "load": _loading, "delete": _deleting}

TYPE = contract.StepType(
    microservice="cache",
    title="Cache",
    help=(
        "Keeps a value under a key and gives it back to later steps and runs. What is added, appended or deleted "
        "becomes true together with the record of this step: exactly once, also when the server stops meanwhile, "
        "and no append of another run is lost. Entries of a run go with its payloads. A value is JSON or text, "
        "up to 1 MB."
    ),
    failure=(
        "A load without an entry fails, unless it is told to go on. So does a key that is empty or has more than "
        "255 characters when it is filled in, and a value that is too large."
    ),
    config=Cache,
    compile=compile,
    examples=[
        contract.Example(
            "Remember how far a flow has come",
            {"action": "add", "key": "since", "value": "[[payload.newest]]"},
        ),
        contract.Example(
            "Put the customer into the order",
            {
                "action": "load",
                "scope": "company",
                "key": "customer-[[payload.customer_id]]",
                "target": "customer",
                "on_miss": "go_on",
            },
        ),
        contract.Example(
            "Gather the orders of a day",
            {"action": "append", "key": "orders-[[payload.date]]", "ttl_seconds": 172800},
        ),
        contract.Example("Forget them", {"action": "delete", "key": "orders-[[payload.date]]"}),
    ],
)
