"""Every example of every step type: its config is valid, and pure steps give what the example says."""

from __future__ import annotations

import msgspec
import pytest

from flowloom.domain.payload import Payload
from flowloom.steps import contract, registry

from .pure import FakeContext, bodies, compiled

EXAMPLES = [
    pytest.param(step_type, example, id=f"{step_type.microservice}: {example.title}")
    for step_type in registry.TYPES.values()
    for example in step_type.examples
]


@pytest.mark.parametrize(("step_type", "example"), EXAMPLES)
def test_example(step_type: contract.StepType, example: contract.Example) -> None:
    step = compiled(step_type.microservice, dict(example.config))
    if step.effect or example.expect is None:
        return
    context = FakeContext(example.variables)
    given = [Payload(body, position=str(at)) for at, body in enumerate(example.payloads)]
    before = msgspec.json.encode(list(example.payloads))
    results = [body for payload in given for body in bodies(step.run(context, payload))]
    assert results == list(example.expect)
    assert msgspec.json.encode(list(example.payloads)) == before
