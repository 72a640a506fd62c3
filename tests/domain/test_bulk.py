"""Large JSON in parts is the same JSON."""

from __future__ import annotations

import msgspec
import pytest

from flowloom.domain import bulk

RECORDS = [{"id": number, "text": "é" * 50, "lines": [1, None, 2.5]} for number in range(6000)]
BODIES = {
    "list": RECORDS,
    "object": {"orders": RECORDS, "next": None},
    "text": "x" * 400_000,
    "nested": [[RECORDS]],
    "small": {"a": [1]},
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_it_is_what_one_call_makes(body: object) -> None:
    raw = msgspec.json.encode(body)

    assert bulk.decode(raw) == body
    assert bulk.decode(b" \n" + raw) == body
    assert bulk.encode(body) == raw


@pytest.mark.parametrize("broken", [b",", b"]]", b"{", b"\xff"])
def test_broken_json_is_refused(broken: bytes) -> None:
    raw = msgspec.json.encode(RECORDS)[:-1] + broken

    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        bulk.decode(raw)


def test_a_bad_item_deep_inside_is_refused() -> None:
    raw = msgspec.json.encode(RECORDS).replace(b"2.5", b"NaN", 1)

    with pytest.raises(msgspec.DecodeError):
        bulk.decode(raw)
