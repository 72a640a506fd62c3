"""Paths: what they find, what they replace and set, and that they never change their input."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowloom import errors
from flowloom.domain.payload import MISSING, ROOT, Payload, assign, compile_path, is_json_type

ORDER = {
    "id": 7,
    "ship": {"city": "Delft", "a.b": 1, "*": 2},
    "lines": [{"sku": "a", "tags": ["x", "y"]}, {"qty": 2}, {"sku": "c", "tags": []}],
    "0": "zero",
}

KEYS = st.text(alphabet="ab.*\\0 é", min_size=1, max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)
PATHS = st.lists(st.sampled_from(["a", "b", "c", "0", "1", "*"]), min_size=1, max_size=4).map(".".join)


def written(key: str) -> str:
    escaped = key.replace("\\", "\\\\").replace(".", "\\.")
    return "\\*" if escaped == "*" else escaped


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("id", 7),
        ("ship.city", "Delft"),
        (r"ship.a\.b", 1),
        (r"ship.\*", 2),
        ("lines.0.sku", "a"),
        ("lines.*.sku", ["a", "c"]),
        ("lines.*.tags.*", ["x", "y"]),
        ("0", "zero"),
        ("lines.-1", MISSING),
        ("lines.99999999999999999999", MISSING),
        ("lines.00", MISSING),
        ("id.deeper", MISSING),
        ("ship.0", MISSING),
        ("nothing.*.sku", MISSING),
        ("ship.*.x", MISSING),
        (".", ORDER),
        (None, ORDER),
    ],
)
def test_get(path: str | None, found: object) -> None:
    assert compile_path(path).get(ORDER) == found


def test_get_all_is_always_a_list() -> None:
    assert compile_path("lines.*.sku").get_all(ORDER) == ["a", "c"]
    assert compile_path("id").get_all(ORDER) == [7]
    assert compile_path("nothing.*.x").get_all(ORDER) == []


def test_gather_keeps_positions() -> None:
    assert compile_path("lines.*.sku").gather(ORDER, 1) == ["a", MISSING, "c"]
    assert compile_path("lines.*.tags.*").gather(ORDER, 1) == [["x", "y"], MISSING, []]
    assert compile_path("nothing.*.x").gather(ORDER, 1) is MISSING


@pytest.mark.parametrize("text", ["", "a..b", ".a", "a.", "a\0b", "a" * 501, ".".join("a" * 51)])
def test_bad_path(text: str) -> None:
    with pytest.raises(errors.Invalid) as caught:
        compile_path(text, "rules.0.source")
    assert list(caught.value.errors) == ["rules.0.source"]


@given(st.lists(KEYS, min_size=1, max_size=5), st.integers())
def test_what_is_assigned_is_found(keys: list[str], value: int) -> None:
    path = compile_path(".".join(map(written, keys)))
    record: dict[str, object] = {}
    assign(record, path, value)
    assert path.get(record) == value


@given(JSON, PATHS)
def test_reaching_in_never_raises_nor_changes(value: object, text: str) -> None:
    before = copy.deepcopy(value)
    path = compile_path(text)
    found = path.get_all(value)
    assert path.replace_records(value, lambda records: records) == value
    path.replace_records(value, lambda records: [])
    assert value == before
    assert (path.get(value) == found) if path.stars and found else True


@given(st.dictionaries(st.sampled_from("abc"), JSON), PATHS, JSON)
def test_assign_leaves_the_input_alone(value: dict[str, object], text: str, new: object) -> None:
    path = compile_path("a." + text)
    before = copy.deepcopy(value)
    assign(dict(value), path, new)
    assert value == before


def test_assign_spreads_lists_and_broadcasts_the_rest() -> None:
    record: dict[str, object] = {}
    assign(record, compile_path("l.*.sku"), ["a", MISSING, "c"])
    assign(record, compile_path("l.*.currency"), "EUR")
    assign(record, compile_path("l.1.tax.rate"), 21)
    assert record["l"] == [
        {"sku": "a", "currency": "EUR"},
        {"currency": "EUR", "tax": {"rate": 21}},
        {"sku": "c", "currency": "EUR"},
    ]


def test_assign_fills_up_to_a_position_and_replaces_scalars() -> None:
    record: dict[str, object] = {"a": 1}
    assign(record, compile_path("a.b.2"), "x")
    assert record == {"a": {"b": [None, None, "x"]}}


def test_records() -> None:
    assert ROOT.records([1, 2]) == [1, 2]
    assert ROOT.records({"a": 1}) == [{"a": 1}]
    assert compile_path("lines.*.tags").records(ORDER) == ["x", "y"]
    assert compile_path("nothing").records(ORDER) == []


def test_replace_records_leaves_out_what_is_dropped() -> None:
    def none(records: list[object]) -> list[object]:
        return []

    assert ROOT.replace_records([1], none) == []
    assert ROOT.replace_records({"a": 1}, none) is MISSING
    assert compile_path("a.b").replace_records({"a": {"b": 1, "c": 2}}, none) == {"a": {"c": 2}}
    assert compile_path("a.*").replace_records({"a": [{}, {}]}, none) == {"a": []}
    assert compile_path("a.1").replace_records({"a": [1, 2, 3]}, none) == {"a": [1, 3]}
    assert compile_path("a.*.b").replace_records({"a": [{"b": [1]}, 5]}, none) == {"a": [{"b": []}, 5]}


def test_replace_records_calls_once_for_each_list() -> None:
    path = compile_path("orders.*.lines")
    body = {"orders": [{"lines": [1, 2]}, {"lines": [3]}, {}]}
    doubled = path.replace_records(body, lambda records: [record * 2 for record in records])  # type: ignore[operator]
    assert doubled == {"orders": [{"lines": [2, 4]}, {"lines": [6]}, {}]}


def test_content_types() -> None:
    assert is_json_type("application/json; charset=utf-8")
    assert is_json_type("application/hal+json")
    assert not is_json_type("text/csv")
    assert Payload(1, meta={"a": "b"}, position="0.3").with_body(2) == Payload(
        2, meta={"a": "b"}, position="0.3"
    )
