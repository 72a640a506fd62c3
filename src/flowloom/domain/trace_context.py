"""Which trace a request belongs to: the W3C headers `traceparent` and `tracestate`, read strictly and written.

A context is kept as the headers that it is handed on with. One that is malformed is none: it never fails a request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

Headers = Mapping[str, str]
PARENT: Final = "traceparent"
STATE: Final = "tracestate"
NAMES: Final = (PARENT, STATE)
# What every participant hands on of a state; beyond it, what is least missed goes first.
MAX_STATE: Final = 512
MAX_MEMBERS: Final = 32
_LONG_MEMBER: Final = 128
# Sampled, and that the id was made at random. What other flags mean nobody knows yet: they are not handed on.
_KNOWN_FLAGS: Final = 0x03
_FORM = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)
_KEY = r"(?:[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})"
_MEMBER = re.compile(rf"({_KEY})=[ -+\--<>-~]{{0,255}}[!-+\--<>-~]")


class Place(NamedTuple):
    """A span of a trace, as numbers, and the flags that go with it."""

    trace_id: int
    span_id: int
    flags: int


def read(parents: Sequence[str], states: Sequence[str] = ()) -> Headers | None:
    """The context of a request, from the values of its headers; None without a valid `traceparent`."""
    found = _place(parents[0].strip(" \t")) if len(parents) == 1 else None
    return None if found is None else headers(found, _state(",".join(states)))


def headers(place: Place, state: str = "") -> Headers:
    """The headers that hand a context on."""
    written = {PARENT: f"00-{place.trace_id:032x}-{place.span_id:016x}-{place.flags:02x}"}
    return {**written, STATE: state} if state else written


def place(kept: Headers) -> Place:
    """The span that a context names."""
    _, trace_id, span_id, flags = kept[PARENT].split("-")
    return Place(int(trace_id, 16), int(span_id, 16), int(flags, 16))


def _place(parent: str) -> Place | None:
    """Of a later version what is known of it is read, whatever follows."""
    parts = _FORM.fullmatch(parent)
    if parts is None or parts["version"] == "ff" or (parts["version"] == "00" and parts["more"] is not None):
        return None
    found = Place(int(parts["trace"], 16), int(parts["span"], 16), int(parts["flags"], 16) & _KNOWN_FLAGS)
    return found if found.trace_id and found.span_id else None


def _state(text: str) -> str:
    """A state as it is handed on; a malformed one is left out whole, as a part of it could say something else."""
    members = [member.strip(" \t") for member in text.split(",")]
    members = [member for member in members if member]
    keys = [parts[1] for member in members if (parts := _MEMBER.fullmatch(member))]
    if len(keys) != len(members) or len(set(keys)) != len(keys) or len(keys) > MAX_MEMBERS:
        return ""
    return ",".join(_fitting(members))


def _fitting(members: Sequence[str]) -> Sequence[str]:
    """As many members as fit: long ones go first, then those at the end."""
    if _length(members) > MAX_STATE:
        members = [member for member in members if len(member) <= _LONG_MEMBER]
    while _length(members) > MAX_STATE:
        members = members[:-1]
    return members


def _length(members: Sequence[str]) -> int:
    return sum(map(len, members)) + len(members) - 1
