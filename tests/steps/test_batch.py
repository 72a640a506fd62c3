"""The batch step: the batches are the list, positions name them, and anything but a list fails."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowloom.steps import contract

from .pure import bodies, run


@given(st.lists(st.integers()), st.integers(1, 10))
def test_the_batches_together_are_the_list(items: list[int], size: int) -> None:
    batches: list[list[int]] = bodies(run("batch", {"size": size}, items))  # type: ignore[assignment]
    assert [item for batch in batches for item in batch] == items
    assert all(len(batch) == size for batch in batches[:-1])
    assert all(batches)


def test_positions_and_meta() -> None:
    outcome = run("batch", {"size": 1}, [1, 2], meta={"a": "b"}, position="0.4")
    assert [(payload.position, payload.meta) for payload in outcome.payloads] == [
        ("0.4.0", {"a": "b"}),
        ("0.4.1", {"a": "b"}),
    ]


def test_the_items_of_every_list_at_a_path() -> None:
    body = {"orders": [{"lines": [1, 2]}, {"lines": [3]}, {}]}
    assert bodies(run("batch", {"path": "orders.*.lines", "size": 2}, body)) == [[1, 2], [3]]


@pytest.mark.parametrize(
    ("config", "body", "said"),
    [
        ({}, {"a": 1}, "in the payload"),
        ({"path": "a"}, {"a": 1}, "at 'a'"),
        ({"path": "x.*.y"}, {}, "at 'x.*.y'"),
    ],
)
def test_no_list_fails(config: dict[str, object], body: object, said: str) -> None:
    outcome = run("batch", {**config, "size": 5}, body)
    assert isinstance(outcome, contract.Fail)
    assert said in outcome.why
