"""Transforms: each by example, chains, bad data, bad arguments and limits."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowloom import errors
from flowloom.domain import transforms
from flowloom.domain.lookup import Lookup
from flowloom.domain.payload import MISSING

LINES = [{"n": 3, "s": "b"}, {"n": None}, {"s": "a", "n": 1}, {"n": 2.5}]

EXAMPLES: list[tuple[str, dict[str, Any], object, object]] = [
    ("upper", {}, "é1", "É1"),
    ("lower", {}, "AB", "ab"),
    ("upper", {}, 12, "12"),
    ("trim", {}, " a \n", "a"),
    ("title", {}, "ann de wit", "Ann De Wit"),
    ("replace", {"find": "a", "with": "bb"}, "aca", "bbcbb"),
    ("replace", {"find": "a"}, "aca", "c"),
    ("regex_replace", {"find": r"(\w)-(?P<n>\d)", "with": r"\2é\1\g<n>\\"}, "x a-1", "x 1éa1\\"),
    ("substring", {"start": 1, "length": 2}, "abcd", "bc"),
    ("substring", {"start": -2}, "abcd", "cd"),
    ("pad", {"length": 4, "with": "0"}, 7, "0007"),
    ("pad", {"length": 3, "side": "end"}, "a", "a  "),
    ("prefix", {"text": "SO-"}, 7, "SO-7"),
    ("suffix", {"text": "!"}, "a", "a!"),
    ("split", {"by": ";"}, "a;b", ["a", "b"]),
    ("join", {"by": "-"}, ["a", 1, None, True], "a-1--true"),
    ("concat", {"values": ["b", 1], "separator": " "}, "a", "a b 1"),
    ("slug", {}, "Crème brûlée & Co.", "creme-brulee-co"),
    ("url_encode", {}, "a/b é", "a%2Fb%20%C3%A9"),
    ("base64_encode", {}, "é", "w6k="),
    ("base64_decode", {}, "w6k=", "é"),
    ("hash", {}, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ("number", {}, "12.50", 12.5),
    ("number", {}, " 12 ", 12),
    ("number", {}, 1.0, 1),
    ("integer", {}, "-2.9", -2),
    ("round", {"digits": 2}, 1.005, 1.01),
    ("round", {}, 2.5, 3),
    ("round", {}, -2.5, -3),
    ("round", {"digits": -2}, 1250, 1300),
    ("add", {"value": 0.2}, 0.1, 0.3),
    ("subtract", {"value": 0.1}, 0.3, 0.2),
    ("multiply", {"value": 1.21}, "19.99", 24.1879),
    ("divide", {"value": 4}, 10, 2.5),
    ("divide", {"value": 5}, 10, 2),
    ("absolute", {}, -3, 3),
    ("at_least", {"value": 0}, -3, 0),
    ("at_most", {"value": 10}, 12.5, 10),
    ("format_number", {}, 1234567.895, "1,234,567.90"),
    ("format_number", {"decimals": 0, "thousands": "."}, 1234.5, "1.235"),
    ("format_number", {"thousands": ".", "point": ","}, "1234.5", "1.234,50"),
    ("sum", {}, [0.1, 0.2, None, "3"], 3.3),
    ("sum", {"path": "n"}, LINES, 6.5),
    ("minimum", {"path": "n"}, LINES, 1),
    ("maximum", {}, [1, "2.5"], "2.5"),
    ("minimum", {}, [], None),
    ("count", {}, [1, 2], 2),
    ("count", {}, MISSING, 0),
    ("first", {}, [1, 2], 1),
    ("last", {}, [], None),
    ("unique", {}, [1, True, 1, "1", {"a": 1, "b": 2}, {"b": 2, "a": 1}], [1, True, "1", {"a": 1, "b": 2}]),
    ("unique", {"path": "s"}, [{"s": 1, "x": 1}, {"s": 1}], [{"s": 1, "x": 1}]),
    ("sort", {}, ["b", 2, None, 1, "a"], [1, 2, "a", "b", None]),
    ("sort", {"path": "n", "order": "descending"}, LINES, [LINES[0], LINES[3], LINES[2], LINES[1]]),
    ("flatten", {}, [1, [2, [3]], []], [1, 2, [3]]),
    ("slice", {"start": 1, "end": -1}, [1, 2, 3, 4], [2, 3]),
    ("pluck", {"path": "s"}, LINES, ["b", "a"]),
    ("default", {"value": 0}, None, 0),
    ("default", {"value": None}, MISSING, None),
    ("default", {"value": 0}, "", ""),
    ("null_if", {"value": ""}, "", None),
    ("null_if", {"value": 0}, "0.0", None),
    ("null_if", {"value": ""}, "a", "a"),
    ("lookup", {"table": {"NL": "Netherlands", "1": "one"}}, "NL", "Netherlands"),
    ("lookup", {"table": {"1": "one"}}, 1, "one"),
    ("lookup", {"table": {}, "default": "?"}, "XX", "?"),
    ("lookup", {"table": {}, "default": "?"}, MISSING, "?"),
    ("lookup_table", {"table": "countries"}, "NL", "Netherlands"),
    ("lookup_table", {"table": "countries"}, 1, "one"),
    ("lookup_table", {"table": "countries", "direction": "reverse"}, "Netherlands", "NL"),
    ("lookup_table", {"table": "countries"}, "XX", None),
    ("lookup_table", {"table": "countries", "default": "?"}, "XX", "?"),
    ("lookup_table", {"table": "countries", "on_miss": "keep"}, "XX", "XX"),
    ("boolean", {}, "Yes", True),
    ("boolean", {}, 0, False),
    ("boolean", {}, None, False),
    ("text", {}, 1.5, "1.5"),
    ("text", {}, {"a": [1]}, '{"a":[1]}'),
    ("to_json", {}, "a", '"a"'),
    ("from_json", {}, '{"a": 1}', {"a": 1}),
    ("date", {"from": "%d-%m-%Y"}, "31-01-2026", "2026-01-31T00:00:00Z"),
    (
        "date",
        {"from": "%d-%m-%Y %H:%M", "timezone": "Europe/Amsterdam"},
        "01-07-2026 12:00",
        "2026-07-01T12:00:00+02:00",
    ),
    ("date", {"to": "%d/%m/%y"}, "2026-01-31T10:00:00Z", "31/01/26"),
    ("date", {}, 1767225600, "2026-01-01T00:00:00Z"),
    ("date", {}, 1767225600000, "2026-01-01T00:00:00Z"),
    ("format_date", {"format": "%H:%M", "timezone": "Europe/Amsterdam"}, "2026-07-01T10:00:00", "12:00"),
    ("date_add", {"days": 1}, "2026-02-28", "2026-03-01"),
    ("date_add", {"hours": -1, "minutes": 30}, "2026-01-01T00:00:00Z", "2025-12-31T23:30:00Z"),
    ("date_add", {"days": 1}, "2026-01-01T10:00:00", "2026-01-02T10:00:00"),
    ("timestamp", {}, "2026-01-01T00:00:00Z", 1767225600),
    ("timestamp", {"unit": "milliseconds"}, "2026-01-01", 1767225600000),
    ("timestamp", {"unit": "milliseconds"}, "9999-12-31", 253402214400000),
]


# Of two lefts of one right the first counts in reverse.
LOOKUPS = {"countries": Lookup.of([("NL", "Netherlands"), ("1", "one"), ("HO", "Netherlands")])}


def run(name: str, arguments: dict[str, Any], value: object) -> object:
    return transforms.compile([{"name": name, **arguments}])(value, LOOKUPS)


@pytest.mark.parametrize(("name", "arguments", "value", "expected"), EXAMPLES)
def test_example(name: str, arguments: dict[str, Any], value: object, expected: object) -> None:
    result = run(name, arguments, value)
    assert result == expected
    assert type(result) is type(expected)


def test_every_transform_has_an_example() -> None:
    assert set(transforms.TRANSFORMS) == {name for name, *_ in EXAMPLES}


@pytest.mark.parametrize("name", sorted(transforms.TRANSFORMS))
def test_nothing_passes_through_the_others(name: str) -> None:
    transform = transforms.TRANSFORMS[name]
    arguments = next(arguments for example, arguments, *_ in EXAMPLES if example == name)
    if not transform.takes_nothing:
        assert run(name, arguments, MISSING) is MISSING
        assert run(name, arguments, None) is None


@pytest.mark.parametrize(
    ("name", "arguments", "value", "said"),
    [
        ("upper", {}, [1], "upper: expects text, got a list"),
        ("number", {}, "abc", 'number: expects a number, got "abc"'),
        ("number", {}, True, "number: expects a number, got true"),
        ("number", {}, "1e999", "too large"),
        ("divide", {"value": 0}, 1, "cannot divide by zero"),
        ("join", {}, "a", 'expects a list, got "a"'),
        ("join", {}, [[1]], "expects text, got a list"),
        ("sum", {}, [1, "x"], "expects a number"),
        ("lookup_table", {"table": "countries", "on_miss": "fail"}, "XX", "'countries' has no \"XX\""),
        ("lookup_table", {"table": "countries"}, [1], "expects text, got a list"),
        ("lookup_table", {"table": "cities"}, "XX", "there is no lookup table 'cities'"),
        ("boolean", {}, "maybe", "true or false"),
        ("from_json", {}, "{", "expects JSON"),
        ("from_json", {}, "[" * 100_000, "expects JSON"),
        ("base64_decode", {}, "!", "base64"),
        ("base64_decode", {}, "/w==", "base64"),
        ("date", {}, "soon", 'expects an ISO date, got "soon"'),
        ("date", {"from": "%d-%m-%Y"}, "2026-01-31", "a date like %d-%m-%Y"),
        ("date", {}, 1e300, "ISO date"),
        ("date", {"timezone": "Asia/Tokyo"}, "9999-12-31T23:00:00Z", "1 to 9999"),
        ("date_add", {"days": 1}, "9999-12-31", "1 to 9999"),
        ("replace", {"find": "a", "with": "b" * 10_000}, "a" * 2000, "longer than"),
        ("regex_replace", {"find": "a*", "with": "b" * 1000}, "a" * 20_000, "longer than"),
        ("round", {"digits": 15}, "9e299", "too large"),
    ],
)
def test_bad_data(name: str, arguments: dict[str, Any], value: object, said: str) -> None:
    with pytest.raises(transforms.TransformFailed, match=said):
        run(name, arguments, value)


@pytest.mark.parametrize(
    ("steps", "place"),
    [
        ({}, "transforms"),
        (["upper"], "transforms.0.name"),
        ([{"name": "uper"}], "transforms.0.name"),
        ([{"name": "upper"}, {"name": "upper", "x": 1}], "transforms.1.x"),
        ([{"name": "prefix"}], "transforms.0.text"),
        ([{"name": "round", "digits": "2"}], "transforms.0.digits"),
        ([{"name": "round", "digits": True}], "transforms.0.digits"),
        ([{"name": "round", "digits": 16}], "transforms.0.digits"),
        ([{"name": "pad", "length": 10_001}], "transforms.0.length"),
        ([{"name": "pad", "length": 1, "with": "ab"}], "transforms.0.with"),
        ([{"name": "pad", "length": 1, "side": "left"}], "transforms.0.side"),
        ([{"name": "regex_replace", "find": "("}], "transforms.0.find"),
        ([{"name": "regex_replace", "find": "a", "with": r"\1"}], "transforms.0.with"),
        ([{"name": "pluck", "path": "a..b"}], "transforms.0.path"),
        ([{"name": "date", "timezone": "Mars/Base"}], "transforms.0.timezone"),
        ([{"name": "date", "timezone": "../../etc/passwd"}], "transforms.0.timezone"),
        ([{"name": "format_date", "format": "%99999999d"}], "transforms.0.format"),
        ([{"name": "prefix", "text": "x" * 10_001}], "transforms.0.text"),
        ([{"name": "concat", "values": [[1]]}], "transforms.0"),
        ([{"name": "upper"}] * 51, "transforms"),
    ],
)
def test_refused(steps: object, place: str) -> None:
    with pytest.raises(errors.Invalid) as caught:
        transforms.compile(steps)
    assert list(caught.value.errors) == [place]


def test_messages_name_the_way_out() -> None:
    with pytest.raises(errors.Invalid, match="Unknown transform 'uper'; allowed: upper, lower"):
        transforms.compile([{"name": "uper"}])
    with pytest.raises(errors.Invalid, match="'prefix' needs 'text': text"):
        transforms.compile([{"name": "prefix"}])


def test_chain_runs_in_order_and_continues_after_a_default() -> None:
    chain = transforms.compile(
        [{"name": "trim"}, {"name": "null_if", "value": ""}, {"name": "default", "value": "x"}]
    )
    assert [chain(value) for value in (" a ", "  ", MISSING)] == ["a", "x", "x"]
    assert transforms.compile([])(5) == 5


def test_describe_is_plain_data() -> None:
    table = {entry["name"]: entry for entry in transforms.describe()}
    assert table["pad"]["arguments"][0] == {"name": "length", "kind": "integer", "required": True}
    assert table["pad"]["arguments"][2]["choices"] == ["start", "end"]


@given(st.decimals(-(10**9), 10**9, places=2), st.decimals(-(10**6), 10**6, places=2))
def test_money_shows_no_float_noise(one: Decimal, other: Decimal) -> None:
    result = run("add", {"value": float(other)}, float(one))
    assert Decimal(repr(result)) == one + other


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)


@given(SCALARS | st.lists(SCALARS) | st.dictionaries(st.text(), SCALARS), st.sampled_from(EXAMPLES))
def test_any_value_is_transformed_or_refused(
    value: object, example: tuple[str, dict[str, Any], object, object]
) -> None:
    with contextlib.suppress(transforms.TransformFailed):
        run(example[0], example[1], value)


def test_the_lookup_tables_of_transforms_are_known() -> None:
    steps = [{"name": "upper"}, *({"name": "lookup_table", "table": name} for name in ("a", "b", "a"))]
    assert transforms.lookups_in(steps) == {"a", "b"}
    assert transforms.lookups_in([{"name": "lookup", "table": {"a": "b"}}]) == frozenset()


def test_a_lookup_table_in_a_chain() -> None:
    steps = [{"name": "upper"}, {"name": "lookup_table", "table": "countries"}, {"name": "lower"}]
    assert transforms.compile(steps)("nl", LOOKUPS) == "netherlands"
