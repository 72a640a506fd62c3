"""The filter step: what stays, what leaves the bucket, and that keep and drop part the records."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowloom.steps import contract

from .pure import bodies, run

ODD = {"field": "n", "operator": "in", "value": [1, 3, 5]}
RECORDS = st.lists(st.fixed_dictionaries({}, optional={"n": st.integers(0, 5)}))


@given(RECORDS)
def test_keep_and_drop_part_the_records(records: list[object]) -> None:
    kept = bodies(run("filter", {"where": ODD}, records))
    dropped = bodies(run("filter", {"keep": False, "where": ODD}, records))
    remaining = [iter(*part) if part else iter([]) for part in (kept, dropped)]
    assert [next(remaining[0 if record.get("n") in (1, 3, 5) else 1]) for record in records] == records  # type: ignore[attr-defined]
    assert all(next(part, None) is None for part in remaining)


@pytest.mark.parametrize(
    ("config", "body", "expected"),
    [
        ({}, {"n": 1}, [{"n": 1}]),
        ({}, {"n": 2}, []),
        ({}, [{"n": 2}], []),
        ({}, [], []),
        (
            {"path": "a.lines"},
            {"a": {"lines": [{"n": 1}, {"n": 2}], "x": 1}},
            [{"a": {"lines": [{"n": 1}], "x": 1}}],
        ),
        ({"path": "a.lines"}, {"a": {"lines": [{"n": 2}]}}, []),
        ({"path": "missing"}, {"n": 1}, []),
        (
            {"path": "*.lines"},
            [{"lines": [{"n": 1}]}, {"lines": [{"n": 2}]}],
            [[{"lines": [{"n": 1}]}, {"lines": []}]],
        ),
        ({"path": "order"}, {"order": {"n": 1}, "x": 2}, [{"order": {"n": 1}, "x": 2}]),
        ({"path": "order"}, {"order": {"n": 2}, "x": 2}, []),
    ],
)
def test_what_stays(config: dict[str, object], body: object, expected: list[object]) -> None:
    assert bodies(run("filter", {**config, "where": ODD}, body)) == expected


def test_the_payload_keeps_its_identity() -> None:
    outcome = run("filter", {"where": ODD}, {"n": 1}, meta={"a": "b"}, position="0.3")
    assert (outcome.payloads[0].meta, outcome.payloads[0].position) == ({"a": "b"}, "0.3")


def test_text_fails() -> None:
    outcome = run("filter", {"where": ODD}, "a;b", content_type="text/plain")
    assert isinstance(outcome, contract.Fail)
    assert "text/plain" in outcome.why


def test_rows_of_csv_are_records_and_bytes_that_are_none_fail() -> None:
    where = {"field": "n", "operator": "greater", "value": 1}
    outcome = run("filter", {"where": where}, [{"n": "1"}, {"n": "2"}], content_type="text/csv")
    assert [(made.body, made.content_type) for made in outcome.payloads] == [([{"n": "2"}], "text/csv")]
    outcome = run("filter", {"where": where}, b'"', content_type="text/csv")
    assert isinstance(outcome, contract.Fail)
    assert "cannot be read" in outcome.why
