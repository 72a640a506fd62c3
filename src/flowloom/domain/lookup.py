"""A lookup table: two columns of text, read from left to right or from right to left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Direction = Literal["forward", "reverse"]


@dataclass(frozen=True, slots=True)
class Lookup:
    """Both directions of a table, by text."""

    forward: Mapping[str, str]
    reverse: Mapping[str, str]

    @classmethod
    def of(cls, rows: Iterable[tuple[str, str]]) -> Lookup:
        """The table of (left, right) rows, each left once; of several lefts of a right the first counts."""
        forward: dict[str, str] = {}
        reverse: dict[str, str] = {}
        for left, right in rows:
            forward[left] = right
            reverse.setdefault(right, left)
        return cls(forward, reverse)


# Tables by name, as a run sees them.
Lookups = Mapping[str, Lookup]
NONE: Final[Lookups] = MappingProxyType({})
