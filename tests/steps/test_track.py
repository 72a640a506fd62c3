"""The track step: what it notes of records, by path and by template."""

from __future__ import annotations

from typing import Any

import pytest

from .pure import FakeContext, bodies, run

RECORDS = [
    {"id": 1042, "shop": "nl"},
    {"shop": "nl"},
    {"id": None},
    {"id": " "},
    {"id": "a\0b"},
    {"id": "x" * 300},
]


@pytest.mark.parametrize(
    ("config", "values"),
    [
        ({"value": "id"}, ["1042", "ab", "x" * 255]),
        ({"value": "[[payload.shop]]-[[payload.id]]"}, ["nl-1042", "nl-", "-", "-", "-ab", f"-{'x' * 254}"]),
        ({"value": "{{shop}}"}, ["de"] * 6),
    ],
)
def test_each_record_is_noted(config: dict[str, Any], values: list[str]) -> None:
    context = FakeContext({"shop": "de"})
    outcome = run("track", {"entity_type": "order", "direction": "out", **config}, RECORDS, context=context)
    assert bodies(outcome) == [RECORDS]
    assert context.tracked == [("order", value, "out") for value in values]


def test_the_payload_itself_and_what_stands_at_a_path() -> None:
    context = FakeContext()
    run("track", {"entity_type": "order", "value": "id"}, {"id": 7}, context=context)
    body = {"lines": [{"sku": "a"}, {"sku": "b"}]}
    run("track", {"entity_type": "sku", "value": "sku", "path": "lines"}, body, context=context)
    assert context.tracked == [("order", "7", "in"), ("sku", "a", "in"), ("sku", "b", "in")]
