"""The split step: every item a payload, in order, and anything but a list fails."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowloom.steps import contract

from .pure import bodies, run


@given(st.lists(st.integers() | st.lists(st.integers()) | st.none()))
def test_the_payloads_are_the_items(items: list[object]) -> None:
    assert bodies(run("split", {}, items)) == items
    assert bodies(run("split", {"path": "a.b", "wrap": "item"}, {"a": {"b": items}})) == [
        {"item": item} for item in items
    ]


def test_positions_meta_and_size() -> None:
    outcome = run("split", {}, [1, 2], meta={"a": "b"}, position="0.4", size_bytes=10)
    assert [(made.position, made.meta, made.size_bytes) for made in outcome.payloads] == [
        ("0.4.0", {"a": "b"}, 5),
        ("0.4.1", {"a": "b"}, 5),
    ]


def test_the_items_of_every_list_at_a_path() -> None:
    body = {"orders": [{"lines": [1, 2]}, {"lines": [3]}, {}]}
    assert bodies(run("split", {"path": "orders.*.lines"}, body)) == [1, 2, 3]


@pytest.mark.parametrize(
    ("config", "body", "content_type", "expected"),
    [
        ({}, [{"a": "1"}, {"a": "2"}], "text/csv", [{"a": "1"}, {"a": "2"}]),
        ({"path": "o.l"}, {"o": {"l": [{"a": "1"}, "x"]}}, "text/xml", [{"a": "1"}, "x"]),
        ({"path": "o.l"}, {"o": {"l": {"a": "1", "b": "2"}}}, "text/xml", [{"a": "1", "b": "2"}]),
        ({"path": "o.l"}, {"o": ""}, "text/xml", []),
    ],
)
def test_items_of_csv_and_xml_are_json(
    config: dict[str, Any], body: object, content_type: str, expected: list[object]
) -> None:
    made = run("split", config, body, content_type=content_type).payloads
    assert [payload.body for payload in made] == expected
    assert {payload.content_type for payload in made} <= {"application/json"}


def test_items_of_json_keep_its_type() -> None:
    [made] = run("split", {}, [1], content_type="application/hal+json").payloads
    assert made.content_type == "application/hal+json"


@pytest.mark.parametrize(
    ("config", "body", "said"),
    [
        ({}, {"a": 1}, "no list in the payload"),
        ({"path": "a"}, {"a": 1}, "no list at 'a'"),
        ({"path": "x.*.y"}, {}, "no list at 'x.*.y'"),
    ],
)
def test_no_list_fails(config: dict[str, object], body: object, said: str) -> None:
    outcome = run("split", config, body)
    assert isinstance(outcome, contract.Fail)
    assert said in outcome.why


def test_text_has_no_items() -> None:
    assert isinstance(run("split", {}, "a,b", content_type="text/plain"), contract.Fail)
