"""Conditions: the operators one by one, the tree against a simple model, and what is refused where."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowloom import errors
from flowloom.domain import comparison, conditions, templates
from flowloom.domain.payload import MISSING

NOW = datetime(2026, 3, 10, 12, 30, tzinfo=UTC)
RECORD: dict[str, Any] = {
    "status": "paid",
    "total": 12,
    "price": 0.1,
    "text": "12",
    "flag": True,
    "none": None,
    "empty": "",
    "tags": ["a", "b"],
    "lines": [{"sku": "a", "qty": 1}, {"sku": "b", "qty": 5}],
    "at": "2026-03-09T10:00:00+02:00",
    "day": "2026-03-10",
}
SCOPE = templates.Scope({"limit": 10, "allowed": ["paid", "open"]}, {"root": 12}, NOW, {"shop": "nl"})


def holds(field: str, operator: str, *value: object) -> bool:
    where: dict[str, object] = {"field": field, "operator": operator}
    if value:
        where["value"] = value[0]
    return conditions.compile(where)(RECORD, SCOPE)


@pytest.mark.parametrize(
    ("field", "operator", "value", "expected"),
    [
        ("status", "equals", "paid", True),
        ("status", "equals", "Paid", False),
        ("total", "equals", "12.0", True),
        ("total", "equals", 12.0, True),
        ("text", "equals", 12, True),
        ("text", "equals", "12.0", False),
        ("price", "equals", "0.1", True),
        ("flag", "equals", True, True),
        ("flag", "equals", 1, False),
        ("total", "equals", True, False),
        ("none", "equals", None, True),
        ("missing", "equals", None, True),
        ("missing", "equals", "", False),
        ("missing", "not_equals", "x", True),
        ("tags", "equals", ["a", "b"], True),
        ("status", "contains", "ai", True),
        ("tags", "contains", "a", True),
        ("tags", "contains", "ab", False),
        ("total", "contains", "2", True),
        ("missing", "contains", "a", False),
        ("missing", "not_contains", "a", True),
        ("status", "starts_with", "pa", True),
        ("status", "ends_with", "pa", False),
        ("status", "in", ["open", "paid"], True),
        ("status", "in", "{{allowed}}", True),
        ("total", "in", ["12"], True),
        ("missing", "not_in", ["a"], True),
        ("status", "not_in", ["paid"], False),
        ("total", "greater", 11, True),
        ("total", "greater", "11.5", True),
        ("text", "greater", "9", True),
        ("total", "greater", "{{limit}}", True),
        ("total", "less", "abc", False),
        ("flag", "greater", 0, False),
        ("missing", "less", 1, False),
        ("none", "less_or_equal", 1, False),
        ("total", "greater_or_equal", 12, True),
        ("total", "less_or_equal", 12, True),
        ("day", "greater", "2026-03-09", True),
        ("total", "between", [12, 13], True),
        ("total", "between", ["{{limit}}", 11], False),
        ("status", "matches", "^p.*d$", True),
        ("status", "matches", "AI", False),
        ("total", "matches", "^[0-9]+$", True),
        ("missing", "matches", ".*", False),
        ("at", "before", "now", True),
        ("at", "after", "-1 day", False),
        ("at", "after", "-2 days", True),
        ("at", "before", "2026-03-09T08:00:01Z", True),
        ("at", "before", "2026-03-09 08:00:00", False),
        ("day", "before", "now", True),
        ("day", "after", "yesterday", True),
        ("day", "after", "today", False),
        ("day", "before", "+2 hours", True),
        ("status", "before", "now", False),
        ("missing", "after", "2020-01-01", False),
        ("[[meta.shop]]", "equals", "nl", True),
        ("{{limit}}", "less", 11, True),
        ("[[payload.root]]", "equals", 12, True),
        ("total", "equals", "[[payload.root]]", True),
        ("lines.*.sku", "equals", "b", True),
        ("lines.*.sku", "not_equals", "b", False),
        ("lines.*.sku", "not_equals", "z", True),
        ("lines.*.qty", "greater", 4, True),
        ("nothing.*.sku", "equals", "b", False),
        ("nothing.*.sku", "not_equals", "b", True),
        ("lines.1.qty", "equals", 5, True),
    ],
)
def test_operator(field: str, operator: str, value: object, expected: bool) -> None:
    assert holds(field, operator, value) is expected


@pytest.mark.parametrize(
    ("field", "empty"),
    [
        ("missing", True),
        ("none", True),
        ("empty", True),
        ("status", False),
        ("flag", False),
        ("lines.*.x", True),
    ],
)
def test_emptiness(field: str, empty: bool) -> None:
    assert holds(field, "is_empty") is empty
    assert holds(field, "is_not_empty") is not empty


def test_the_record_itself() -> None:
    positive = conditions.compile({"field": ".", "operator": "greater", "value": 1})
    assert [number for number in (0, 1, 2, "x") if positive(number, SCOPE)] == [2]


def test_a_changing_value_is_read_for_every_scope() -> None:
    where = conditions.compile({"field": "n", "operator": "equals", "value": "{{v}}"})
    assert where.variables == {"v"}
    for value in (1, 2, 2, "x", None, 1):
        assert where({"n": value}, templates.Scope({"v": value}, None, NOW))
        assert not where({"n": "other"}, templates.Scope({"v": value}, None, NOW))


def test_relative_dates_follow_the_scope() -> None:
    where = conditions.compile({"field": "at", "operator": "before", "value": "now"})
    assert where({"at": "2026-03-10T12:00:00Z"}, SCOPE)
    assert not where({"at": "2026-03-10T12:00:00Z"}, templates.Scope({}, None, NOW.replace(hour=11)))


def test_filled_in_values_are_data() -> None:
    scope = templates.Scope({"v": "{{secret}}", "secret": "x", "bad": "("}, None, NOW)
    where = conditions.compile({"field": "a", "operator": "equals", "value": "{{v}}"})
    assert where({"a": "{{secret}}"}, scope)
    assert not where({"a": "x"}, scope)
    assert not conditions.compile({"field": "a", "operator": "matches", "value": "{{bad}}"})(
        {"a": "("}, scope
    )


LEAF = {"field": "a", "operator": "equals", "value": 1}


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ([], "where"),
        ({"operator": None}, "where.operator"),
        ({"all": LEAF}, "where.all"),
        ({"all": [LEAF, 5]}, "where.all.1"),
        ({"all": [], "field": "a"}, "where.field"),
        ({"all": [{"any": [{**LEAF, "operator": "like"}]}]}, "where.all.0.any.0.operator"),
        ({"not": [{**LEAF, "values": 1}]}, "where.not.0.values"),
        ({"field": "a", "operator": "equals"}, "where.value"),
        ({"operator": "equals", "value": 1}, "where.field"),
        ({**LEAF, "field": "a..b"}, "where.field"),
        ({**LEAF, "field": "[[foo.x]]"}, "where.field"),
        ({**LEAF, "value": {"x": "[[foo.x]]"}}, "where.value.x"),
        ({**LEAF, "operator": "in"}, "where.value"),
        ({**LEAF, "operator": "between", "value": [1]}, "where.value"),
        ({**LEAF, "operator": "matches", "value": "("}, "where.value"),
        ({**LEAF, "operator": "matches", "value": "x" * 1001}, "where.value"),
        ({**LEAF, "operator": "before", "value": "soon"}, "where.value"),
        ({**LEAF, "operator": ["x"]}, "where.operator"),
        ({"all": [LEAF] * 500}, "where.all.499"),
    ],
)
def test_refused(where: object, place: str) -> None:
    with pytest.raises(errors.Invalid) as caught:
        conditions.compile(where)
    assert list(caught.value.errors) == [place]


def test_depth_is_limited() -> None:
    deep: dict[str, object] = LEAF
    for _ in range(20):
        deep = {"not": [deep]}
    with pytest.raises(errors.Invalid, match="deeper than 20"):
        conditions.compile(deep)


def test_an_unknown_operator_names_the_allowed() -> None:
    with pytest.raises(
        errors.Invalid, match="Unknown operator 'like'; allowed: equals, not_equals, contains"
    ):
        conditions.compile({**LEAF, "operator": "like"})


VALUES = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0, "1", "a", "b", "0.5", ""])
)
LEAVES = st.builds(
    lambda field, operator, value: {"field": field, "operator": operator, "value": value},
    st.sampled_from("abc"),
    st.sampled_from(["equals", "not_equals", "greater", "less_or_equal", "is_empty"]),
    VALUES,
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        lambda name, parts: {name: parts}, st.sampled_from(["all", "any", "not"]), st.lists(inner, max_size=3)
    ),
    max_leaves=10,
)


def model(where: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    """The tree read anew for every record, as plainly as can be."""
    for name, combine in (("all", all), ("any", any), ("not", lambda parts: not any(parts))):
        if name in where:
            return bool(combine([model(part, record) for part in where[name]]))
    found, value = record.get(where["field"]), where["value"]
    match where["operator"]:
        case "equals":
            return same(found, value)
        case "not_equals":
            return not same(found, value)
        case "is_empty":
            return found is None or found == ""
        case operator:
            one, other = plain(found), plain(value)
            if isinstance(found, str) and isinstance(value, str) and None in (one, other):
                one, other = found, value  # type: ignore[assignment]
            if one is None or other is None:
                return False
            return one > other if operator == "greater" else one <= other


def plain(value: object) -> float | None:
    """Exact for the few numbers used here."""
    if isinstance(value, bool) or value in (None, "", "a", "b"):
        return None
    return float(value)  # type: ignore[arg-type]


def same(found: object, value: object) -> bool:
    if isinstance(found, str) == isinstance(value, str):
        return found == value and isinstance(found, bool) == isinstance(value, bool)
    return plain(found) is not None and plain(found) == plain(value)


@given(TREES, st.dictionaries(st.sampled_from("abc"), VALUES))
def test_tree_agrees_with_the_model(where: Mapping[str, Any], record: dict[str, Any]) -> None:
    assert conditions.compile(where)(record, SCOPE) is model(where, record)


@given(st.sampled_from(sorted(comparison.OPERATORS)), VALUES, VALUES)
def test_a_template_means_the_same_as_a_constant(operator: str, found: object, value: object) -> None:
    takes = comparison.OPERATORS[operator].takes
    given_value = {"list": [value], "pair": [value, value], "date": "2026-01-01", "pattern": "a"}.get(
        takes, value
    )
    leaf = {"field": "a", "operator": operator}
    constant = conditions.compile({**leaf, "value": given_value})
    filled = conditions.compile({**leaf, "value": "{{v}}"})
    scope = templates.Scope({"v": given_value}, None, NOW)
    assert constant({"a": found}, scope) is filled({"a": found}, scope)


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.5, 1.0, 2**53 + 1, 1e23, -0.0]),
    st.sampled_from(["1", "1.0", " 1", "0.5", "x", "", "true", str(2**53 + 1)]), st.just(["1"]), st.just({"a": 1}),
)  # fmt: skip


@given(st.one_of(VALUES, st.just(MISSING)), st.lists(VALUES, max_size=6))
def test_among_many_is_equal_to_one_of_them(found, many):
    test = comparison.OPERATORS["in"].test(many)
    assert test(found) == any(comparison.OPERATORS["equals"].test(one)(found) for one in many)


def test_among_very_many_is_found_at_once():
    test = comparison.OPERATORS["in"].test([*range(200_000), "200001"])
    began = time.process_time()
    assert [test(number) for number in range(199_000, 202_000)].count(True) == 1001
    assert time.process_time() - began < 1
