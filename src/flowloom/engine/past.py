"""Which payload that comes now is one of those that a run recorded something for before: by position and content.

What a run goes on with after a wait, a crash or a retry may stand at other positions than before, or be another, where
something that pure steps read (a lookup table) was changed meanwhile.
"""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass, field
from typing import Final

import msgspec

from flowloom.domain import formats
from flowloom.domain.declaration import Unwritable
from flowloom.domain.payload import Payload

MAX_CONTENT_TYPE: Final = 255
# What a try-catch says of a failure: a payload that fails again, if in other words, is the same one.
ABOUT_FAILURE: Final = frozenset({"error_message", "error_step", "error_step_key", "error_class"})
_DIGEST_LENGTH: Final = 32
_HEAD = msgspec.json.Encoder()


def digest(payload: Payload) -> str | None:
    """32 hex digits for what a payload holds: body, content type, meta. None for what cannot be written."""
    try:
        raw = formats.encode(payload.body, payload.content_type)
    except (Unwritable, RecursionError, OverflowError, ValueError):
        return None
    meta = sorted([entry for entry in payload.meta.items() if entry[0] not in ABOUT_FAILURE])
    content = hashlib.sha256(_HEAD.encode((payload.content_type[:MAX_CONTENT_TYPE], meta)))
    content.update(raw)
    return content.hexdigest()[:_DIGEST_LENGTH]


@dataclass(slots=True)
class _Step:
    """Where one step has something recorded, and which position each payload that came was given."""

    digests: dict[str, str | None] = field(default_factory=dict)
    unused: dict[str, deque[str]] = field(default_factory=dict)
    given: dict[str, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    # Where payloads came that were given the records of others, by digest.
    left: dict[str, list[str]] = field(default_factory=dict)

    def find(self, position: str, digest: str | None) -> str | None:
        """The position of the record for a payload, its own if possible."""
        if position in self.digests and position not in self.taken:
            recorded = self.digests[position]
            if recorded is None or digest is None or recorded == digest:
                return position
        return None if digest is None else self._unused(digest)

    def _unused(self, digest: str) -> str | None:
        positions = self.unused.get(digest, deque())
        while positions and positions[0] in self.taken:
            positions.popleft()
        return positions[0] if positions else None

    def free(self, position: str, digest: str | None) -> str:
        """Where a payload that nothing is recorded for is recorded now."""
        if position not in self.digests and position not in self.taken:
            return position
        if digest is not None and self.left.get(digest):
            return self.left[digest].pop(0)
        number = 1
        while (other := f"{position}~{number}") in self.digests or other in self.taken or other in self.given:
            number += 1
        return other


class Past:
    """What was recorded of a run's effects and failures, each taken by one payload at most.

    A lenient one takes what is recorded at a payload's own position before it takes nothing.
    """

    def __init__(self, *, is_lenient: bool = False) -> None:
        self._is_lenient = is_lenient
        self._steps: dict[str, _Step] = {}
        # Whether a payload was put elsewhere than it came.
        self.has_moved = False

    def add(self, step_key: str, position: str, digest: str | None) -> None:
        """Know of a record for the payload at a position; without a digest it is matched by position alone."""
        step = self._steps.setdefault(step_key, _Step())
        if step.digests.get(position) is not None:
            return
        step.digests[position] = digest
        if digest is not None:
            step.unused.setdefault(digest, deque()).append(position)

    def knows(self, step_key: str) -> bool:
        """Whether anything is recorded of a step; if not, every payload keeps its position."""
        return step_key in self._steps

    def is_held(self, step_key: str, position: str) -> bool:
        """Whether what is recorded at a position counts: a payload took it, or its own has not come yet."""
        step = self._steps.get(step_key)
        if step is None or position not in step.digests:
            return False
        return position in step.taken or position not in step.given

    def place(self, step_key: str, position: str, digest: str | None) -> str:
        """The position at which a payload was recorded, or is recorded now if nothing was; equal whenever it comes.

        Of payloads with the same content any may take the record of any: one that takes another's leaves it its own.
        """
        step = self._steps[step_key]
        if position in step.given:
            return step.given[position]
        place = step.find(position, digest)
        if place is None and self._is_lenient and position in step.digests and position not in step.taken:
            place = position
        if place is None:
            place = step.free(position, digest)
        elif place != position and position not in step.digests and digest is not None:
            step.left.setdefault(digest, []).append(position)
        self.has_moved = self.has_moved or place != position
        step.given[position] = place
        step.taken.add(place)
        return place
