"""Long lists in parts, so that a step over many records can be given up in its middle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

from flowloom.steps import contract

T = TypeVar("T")
# About a millisecond's work: asking costs nothing beside it.
RECORDS: Final = 256


def of(context: contract.Context, records: list[T]) -> Iterator[list[T]]:
    """The records, some at a time. Raises contract.GivenUp when nobody waits for the step any more."""
    if len(records) <= RECORDS:
        context.check()
        yield records
        return
    for start in range(0, len(records), RECORDS):
        context.check()
        yield records[start : start + RECORDS]


def each(context: contract.Context, work: Iterable[T]) -> Iterator[T]:
    """One after another, for what may take long each. Raises contract.GivenUp."""
    for one in work:
        context.check()
        yield one
