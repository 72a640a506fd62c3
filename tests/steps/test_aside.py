"""What is too large for the event loop, and that it is worked on in a thread."""

from __future__ import annotations

import threading

import pytest

from flowloom.domain.bulk import LARGE_BYTES
from flowloom.steps import aside


@pytest.mark.parametrize(
    ("size_bytes", "is_aside"), [(0, False), (LARGE_BYTES, False), (LARGE_BYTES + 1, True)]
)
async def test_what_is_large_runs_in_a_thread(size_bytes: int, is_aside: bool) -> None:
    worked_in = await aside.run(size_bytes, threading.current_thread)
    assert (worked_in is not threading.current_thread()) is is_aside


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        (None, 0, 0),
        ({}, 0, 0),
        ("x" * 100, 100, 100),
        ({"a": "x" * 100, "b": [1, 2, {"c": b"y" * 50}]}, 150, 250),
        ("x" * 3 * LARGE_BYTES, LARGE_BYTES + 1, 3 * LARGE_BYTES),
        ([{"text": "x" * LARGE_BYTES}, 1], LARGE_BYTES + 1, 2 * LARGE_BYTES),
        ({str(number): number for number in range(LARGE_BYTES)}, LARGE_BYTES + 1, 10 * LARGE_BYTES),
    ],
)
def test_about_how_many_bytes(value: object, least: int, most: int) -> None:
    assert least <= aside.about_bytes(value) <= most


def test_counting_ends_beyond_large() -> None:
    endless: list[object] = ["x" * 1000]
    endless.append(endless)
    assert aside.about_bytes(endless) > LARGE_BYTES


def test_a_deep_value_is_counted() -> None:
    value: object = "x" * 10
    for _ in range(10_000):
        value = [value]
    assert aside.about_bytes(value) > 10_000
