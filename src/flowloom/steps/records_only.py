"""Steps that look into records work on JSON, CSV and XML; any other body fails with the way out."""

from __future__ import annotations

from collections.abc import Callable

from flowloom.domain.payload import Payload, kind_of
from flowloom.steps import contract

PureRun = Callable[[contract.Context, Payload], contract.Outcome]


def records_only(run: PureRun) -> PureRun:
    """The same run, but a payload that has no records is a Fail."""

    def guarded(context: contract.Context, payload: Payload) -> contract.Outcome:
        return run(context, payload) if payload.has_records else refusal(payload)

    return guarded


def refusal(payload: Payload) -> contract.Fail:
    """What is said to a payload that has no records."""
    if kind_of(payload.content_type) in ("csv", "xml"):
        return contract.Fail(f"This payload says it is {payload.content_type}, but it cannot be read so.")
    return contract.Fail(
        f"This step works on records, but the payload is {payload.content_type}. Only JSON, CSV and XML "
        "become records: ask the other side for one of them, or say in response_format what it is."
    )
