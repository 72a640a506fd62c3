"""What the tests of pure steps share: a context without an engine, and a step ready to run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flowloom.domain import templates
from flowloom.domain.payload import Payload
from flowloom.steps import contract, registry

NOW = datetime(2026, 3, 10, 12, 30, tzinfo=UTC)


class FakeContext:
    """A run of one step: variables can be set, nothing can be fetched."""

    def __init__(self, variables: Mapping[str, object] | None = None) -> None:
        self.variables: dict[str, object] = dict(variables or {})
        self.now = NOW
        self.cursor = None
        self.tracked: list[tuple[str, str, str]] = []

    def scope(self, payload: Payload) -> templates.Scope:
        return templates.Scope(self.variables, payload.body, self.now, payload.meta)

    def idempotency_key(self, content: bytes) -> str:
        return "key"

    def set_variable(self, name: str, value: object) -> None:
        self.variables[name] = value

    def check(self) -> None:
        pass

    def log(self, level: str, message: str) -> None:
        pass

    def track(self, entity_type: str, value: str, direction: str) -> None:
        self.tracked.append((entity_type, value, direction))

    async def fetch(self, request: contract.Request) -> contract.Response:
        raise contract.RequestFailed("There is no network here.", passing=False)


def compiled(
    microservice: str, config: dict[str, Any], legs: tuple[contract.Leg, ...] = ()
) -> contract.Compiled:
    step_type = registry.get(microservice)
    model, problems = registry.check(step_type, config)
    assert problems == {}
    return step_type.compile(model, legs)


def run(
    microservice: str,
    config: dict[str, Any],
    body: object,
    *,
    context: FakeContext | None = None,
    legs: tuple[contract.Leg, ...] = (),
    **payload: Any,
) -> Any:
    step = compiled(microservice, config, legs)
    return step.run(context or FakeContext(), Payload(body, **payload))


def bodies(outcome: Any) -> list[object]:
    assert isinstance(outcome, contract.Done), outcome
    return [payload.body for payload in outcome.payloads]
