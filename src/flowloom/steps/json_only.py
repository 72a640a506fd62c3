"""Steps that look into records work on JSON; any other body fails with the way out."""

from __future__ import annotations

from collections.abc import Callable

from flowloom.domain.payload import Payload
from flowloom.steps import contract

PureRun = Callable[[contract.Context, Payload], contract.Outcome]


def json_only(run: PureRun) -> PureRun:
    """The same run, but a payload that is not JSON is a Fail."""

    def guarded(context: contract.Context, payload: Payload) -> contract.Outcome:
        if payload.is_json:
            return run(context, payload)
        return contract.Fail(
            f"This step works on JSON records, but the payload is {payload.content_type}. "
            "Only JSON bodies become records: ask the other side for JSON, or start the flow with application/json."
        )

    return guarded
