"""Trace contexts: taken strictly as W3C says, handed on as they came, and never the reason of a failure."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowloom.domain import trace_context

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
VALID = f"00-{TRACE}-{SPAN}-01"
WRITTEN = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[0-3]")


def hexes(length: int) -> st.SearchStrategy[str]:
    return st.text("0123456789abcdef", min_size=length, max_size=length)


@given(
    hexes(32).filter(lambda text: text.strip("0")), hexes(16).filter(lambda text: text.strip("0")), hexes(2)
)
def test_a_valid_parent_is_read_and_written_as_it_came(trace: str, span: str, flags: str) -> None:
    found = trace_context.read([f"00-{trace}-{span}-{flags}"])
    assert found == {"traceparent": f"00-{trace}-{span}-{int(flags, 16) & 3:02x}"}
    place = trace_context.place(found)
    assert place == (int(trace, 16), int(span, 16), int(flags, 16) & 3)
    assert trace_context.headers(place) == found


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "00",
        VALID.upper(),
        VALID[:-1],
        f"{VALID}0",
        f"{VALID}-",
        f"{VALID}-00",
        f"ff-{TRACE}-{SPAN}-01",
        f"0-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-0x",
        f"00_{TRACE}_{SPAN}_01",
        f"01-{TRACE}-{SPAN}-01more",
        f"{VALID},{VALID}",
        VALID.replace("0a", "٠a", 1),
        f"{VALID}\n",
    ],
)
def test_a_malformed_parent_is_none(parent: str) -> None:
    assert trace_context.read([parent]) is None


def test_a_parent_that_comes_twice_is_none() -> None:
    assert trace_context.read([VALID, VALID]) is None
    assert trace_context.read([]) is None


def test_of_a_later_version_what_is_known_is_taken() -> None:
    for parent in (f"cc-{TRACE}-{SPAN}-01", f"01-{TRACE}-{SPAN}-09-what-the-future-brings"):
        assert trace_context.read([parent]) == {"traceparent": VALID}


def test_space_around_values_is_no_part_of_them() -> None:
    found = trace_context.read([f" {VALID}\t"], [" a=1 ,\tb=2", "", "c= 3"])
    assert found == {"traceparent": VALID, "tracestate": "a=1,b=2,c= 3"}


@pytest.mark.parametrize(
    "state",
    [
        "a",
        "a=",
        "=1",
        "A=1",
        "1a=1",
        "a=1,a=2",
        "a=b=c",
        "a=é",
        "a =1",
        "a@Sys=1",
        "@s=1",
        "a@b@c=1",
        f"{'k' * 257}=1",
        f"a={'v' * 257}",
        f"t@{'s' * 15}=1",
        ",".join(f"k{number}=1" for number in range(33)),
        "fine=1,NOT=1",
    ],
)
def test_a_malformed_state_is_left_out_and_the_parent_stays(state: str) -> None:
    assert trace_context.read([VALID], [state]) == {"traceparent": VALID}


@pytest.mark.parametrize("state", ["a=1", "a*-/_9=!~ x", "1t@vendor=1", f"{'k' * 256}={'v' * 200}"])
def test_a_valid_state_goes_on(state: str) -> None:
    assert trace_context.read([VALID], [state]) == {"traceparent": VALID, "tracestate": state}


def test_of_a_long_state_long_members_go_first_and_then_the_last() -> None:
    short = [f"k{number}={'v' * 36}" for number in range(10, 30)]
    kept = trace_context.read([VALID], [",".join([f"long={'v' * 200}", *short])])
    assert kept is not None
    assert kept["tracestate"] == ",".join(short[:12])


@given(st.lists(st.text(), max_size=3), st.lists(st.text(), max_size=3))
def test_whatever_comes_is_taken_or_left(parents: list[str], states: list[str]) -> None:
    _is_none_or_valid(trace_context.read(parents, states))


@given(st.text("0123456789abcdefABCDEF- ,=", max_size=70), st.text("abz019@*=, \t", max_size=40))
def test_what_looks_alike_is_taken_or_left(parent: str, state: str) -> None:
    _is_none_or_valid(trace_context.read([parent], [state]))
    _is_none_or_valid(trace_context.read([VALID], [state]))


def _is_none_or_valid(found: trace_context.Headers | None) -> None:
    if found is None:
        return
    assert WRITTEN.fullmatch(found["traceparent"])
    assert len(found.get("tracestate", "")) <= trace_context.MAX_STATE
    # What is handed on is taken by the next one, unchanged.
    assert trace_context.read([found["traceparent"]], [found.get("tracestate", "")]) == found
