"""The assert step: what is as expected goes on, what is not says where it first differs."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowloom import errors
from flowloom.domain.payload import Payload
from flowloom.steps import contract, registry

from .pure import FakeContext, compiled, run

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=1), inner, max_size=2),
    max_leaves=6,
)


def text(value: object) -> bytes:
    return msgspec.json.encode(value, order="sorted")


def why(config: dict[str, Any], body: object, **payload: Any) -> str | None:
    outcome = run("assert", config, body, context=FakeContext({"v": 5}), **payload)
    if isinstance(outcome, contract.Done):
        assert outcome == contract.Done([Payload(body, **payload)])
        return None
    assert isinstance(outcome, contract.Fail)
    assert outcome.error_class == "assertion"
    return outcome.why


@given(JSON, JSON)
def test_only_what_is_equal_goes_on(expected: object, body: object) -> None:
    assert why({"body": body}, body) is None
    # JSON tells true from 1, Python does not.
    assert (why({"body": expected}, body) is None) == (text(expected) == text(body))


@pytest.mark.parametrize(
    ("expected", "body", "said"),
    [
        (1, 1.0, None),
        ({"a": "{{v}}", "b": "x{{v}}"}, {"b": "x5", "a": 5}, None),
        ([1, {"a": 2}], [1, {"a": 3}], "At '1.a' 2 was expected, but there is 3."),
        ({"a": 1}, {}, "At 'a' 1 was expected, but there is nothing."),
        ({}, {"a": None}, "At 'a' nothing was expected, but there is null."),
        ([1], [1, 2], "At '1' nothing was expected, but there is 2."),
        (True, 1, "In the payload true was expected, but there is 1."),
        ([], {}, "In the payload [] was expected, but there is {}."),
        (None, "x" * 200, f'In the payload null was expected, but there is "{"x" * 78}….'),
    ],
)
def test_the_first_difference(expected: object, body: object, said: str | None) -> None:
    assert why({"body": expected}, body) == said


def test_text_and_bytes() -> None:
    assert why({"body": "a;b"}, "a;b", content_type="text/plain") is None
    said = why({"body": "a;b"}, b"a;b", content_type="image/png")
    assert said == 'In the payload "a;b" was expected, but there is a body of 3 bytes.'


A = {"field": "a", "operator": "equals", "value": "{{v}}"}
B = {"field": "b", "operator": "is_not_empty"}


@pytest.mark.parametrize(
    ("where", "body", "said"),
    [
        ({"all": [A, B]}, {"a": 5, "b": 1}, None),
        (
            A,
            {"a": 4},
            '{"field":"a","operator":"equals","value":"{{v}}"} at where does not hold: \'a\' is 4.',
        ),
        ({"all": [A, {"all": [B]}]}, {"a": 5}, "at where.all.1.all.0 does not hold: 'b' is nothing."),
        ({"any": [A, B]}, {}, "at where does not hold."),
        ({"field": "[[meta.x]]", "operator": "is_not_empty"}, {}, "at where does not hold."),
    ],
)
def test_conditions(where: dict[str, Any], body: object, said: str | None) -> None:
    found = why({"where": where}, body)
    assert found == said if said is None else str(found).endswith(said)


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ({"body": 1, "where": A}, "config.where"),
        ({"where": {"field": "a", "operator": "like"}}, "config.where.operator"),
        ({"where": {"all": [A, {"field": "a", "operator": 1}]}}, "config.where.all.1.operator"),
        ({"body": "[[x]]"}, "config.body"),
    ],
)
def test_refused(config: dict[str, Any], place: str) -> None:
    with pytest.raises(errors.Invalid) as caught:
        compiled("assert", config)
    assert list(caught.value.errors) == [place]


def test_half_a_condition_may_be_saved_and_not_deployed() -> None:
    config = {"where": {"all": [A, {"field": "a"}]}}
    _, problems = registry.check(registry.get("assert"), config)
    assert list(problems) == ["config.where.all.1.operator"]


def test_without_either_it_may_be_saved_and_not_deployed() -> None:
    problems = registry.check(registry.get("assert"), {})
    assert problems == (None, {"config.where": ["This field is required."]})
    assert registry.check(registry.get("assert"), {"body": None})[1] == {}
