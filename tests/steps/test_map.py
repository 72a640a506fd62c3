"""The map step: origins, targets with stars, records at a path, and failures that name their place."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowloom import errors
from flowloom.steps import contract

from .pure import FakeContext, bodies, compiled, run


def mapped(rules: list[dict[str, Any]], body: object, **variables: object) -> object:
    [result] = bodies(run("map", {"rules": rules}, body, context=FakeContext(variables)))
    return result


@pytest.mark.parametrize(
    ("rules", "record", "expected"),
    [
        ([{"target": "a", "source": "x"}], {"x": None}, {"a": None}),
        ([{"target": "a", "source": "x"}], {}, {}),
        ([{"target": "a", "source": "x"}], 5, {}),
        ([{"target": "a", "source": "."}], 5, {"a": 5}),
        ([{"target": "a", "source": "x.0"}], {"x": [7]}, {"a": 7}),
        ([{"target": "a", "value": None}], {}, {"a": None}),
        ([{"target": "a", "value": "[[payload.x]]"}], {"x": 1}, {"a": "[[payload.x]]"}),
        ([{"target": "a", "template": "[[payload.x]]"}], {"x": [1]}, {"a": [1]}),
        ([{"target": "a", "template": {"b": "{{v}} [[payload.x]]"}}], {"x": 1}, {"a": {"b": "5 1"}}),
        ([{"target": "a", "variable": "v"}, {"target": "b", "variable": "w"}], {}, {"a": 5}),
        ([{"target": "a", "value": 1}, {"target": "a", "value": 2}], {}, {"a": 2}),
        ([{"target": "a", "source": "l.*.x"}], {"l": [{"x": 1}, {}, {"x": 3}]}, {"a": [1, 3]}),
        (
            [{"target": "a.*.y", "source": "l.*.x"}],
            {"l": [{"x": 1}, {}, {"x": 3}]},
            {"a": [{"y": 1}, {}, {"y": 3}]},
        ),
        ([{"target": "a.*", "source": "l.*.x"}], {"l": [{"x": 1}, {}]}, {"a": [1, None]}),
        (
            [{"target": "a.*.b.*.c", "source": "x.*.y.*.z"}],
            {"x": [{"y": [{"z": 1}, {}]}, {}]},
            {"a": [{"b": [{"c": 1}, {}]}, {}]},
        ),
        (
            [{"target": "a.*.all", "source": "x.*.y.*.z"}],
            {"x": [{"y": [{"z": 1}, {}, {"z": 2}]}]},
            {"a": [{"all": [1, 2]}]},
        ),
        ([{"target": "a", "source": "x", "transforms": [{"name": "default", "value": 0}]}], {}, {"a": 0}),
        (
            [{"target": "a.*.p", "source": "l.*.p", "transforms": [{"name": "round", "digits": 1}]}],
            {"l": [{"p": 1.25}, {}]},
            {"a": [{"p": 1.3}, {}]},
        ),
        (
            [{"target": "n", "source": "l.*.p", "transforms": [{"name": "sum"}]}],
            {"l": [{"p": 1}, {"p": 2}]},
            {"n": 3},
        ),
    ],
)
def test_rules(rules: list[dict[str, Any]], record: object, expected: object) -> None:
    assert mapped(rules, record, v=5) == expected


@given(st.lists(st.dictionaries(st.sampled_from("xyz"), st.integers())))
def test_the_map_of_a_list_is_the_list_of_the_maps(records: list[dict[str, int]]) -> None:
    rules = [
        {"target": "a", "source": "x"},
        {"target": "b.c", "source": "y"},
        {"target": "t", "template": "[[payload.z]]!"},
    ]
    assert mapped(rules, records) == [mapped(rules, record) for record in records]


def test_the_input_is_never_changed() -> None:
    record = {"ship": {"city": "x"}, "items": [{"a": 1}]}
    before = copy.deepcopy(record)
    rules = [
        {"target": "ship", "source": "ship"},
        {"target": "ship.country", "value": "NL"},
        {"target": "items", "source": "items"},
        {"target": "items.*.b", "value": 2},
    ]
    expected = {"ship": {"city": "x", "country": "NL"}, "items": [{"a": 1, "b": 2}]}
    assert mapped(rules, record) == expected
    assert record == before


def test_data_is_never_a_template() -> None:
    rules = [{"target": "a", "template": "<[[payload.x]]>"}, {"target": "b", "source": "x"}]
    assert mapped(rules, {"x": "{{secret}}"}, secret="s") == {"a": "<{{secret}}>", "b": "{{secret}}"}


def test_a_failure_names_record_and_target() -> None:
    rules = [{"target": "p.q", "source": "x", "transforms": [{"name": "number"}]}]
    outcome = run("map", {"path": "lines", "rules": rules}, {"lines": [{"x": 1}, {"x": "abc"}]})
    assert outcome == contract.Fail("Record 1, 'p.q': number: expects a number, got \"abc\".")


def test_text_fails() -> None:
    assert isinstance(
        run("map", {"rules": [{"target": "a", "value": 1}]}, b"x", content_type="image/png"), contract.Fail
    )


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        ({"target": "a", "source": "x", "value": 1}, "config.rules.0"),
        ({"target": "*.a", "value": 1}, "config.rules.0.target"),
        ({"target": ".", "value": 1}, "config.rules.0.target"),
        ({"target": "a.1000", "value": 1}, "config.rules.0.target"),
        ({"target": "a", "source": "x..y"}, "config.rules.0.source"),
        ({"target": "a", "source": None}, "config.rules.0.source"),
        ({"target": "a", "variable": "two words"}, "config.rules.0.variable"),
        ({"target": "a", "template": {"b": "[[x.y]]"}}, "config.rules.0.template.b"),
        ({"target": "a", "value": 1, "transforms": [{"name": "x"}]}, "config.rules.0.transforms.0.name"),
    ],
)
def test_refused(rule: dict[str, Any], place: str) -> None:
    with pytest.raises(errors.Invalid) as caught:
        compiled("map", {"rules": [rule]})
    assert list(caught.value.errors) == [place]
