"""The payloads of a bucket: a list in memory while they are small, else a stream that reads back what was recorded.

A stream is made anew each time it is gone through, so what many pages hold is never in memory at once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from flowloom.domain.payload import Payload

# What a bucket of several payloads holds in memory; beyond it they are read back one at a time.
BUFFER_BYTES: Final = 4 * 1024 * 1024


class Ref(msgspec.Struct, frozen=True):
    """A recorded payload that is not in memory: the step that made it, its position, and its size."""

    step_key: str
    position: str
    size_bytes: int


Item = Payload | Ref
Load = Callable[[Ref], Awaitable[Payload]]


class Stream:
    """Payloads that are read or computed as they are asked for, and again each time."""

    __slots__ = ("_source",)

    def __init__(self, source: Callable[[], AsyncIterator[Payload]]) -> None:
        self._source = source

    def __aiter__(self) -> AsyncIterator[Payload]:
        return self._source()


Payloads = Sequence[Payload] | Stream


class Bucket(msgspec.Struct, frozen=True):
    """The payloads a step is given, and the variables as they stand on this leg of the run."""

    payloads: Payloads
    variables: dict[str, Any]


@dataclass(slots=True)
class Shelf:
    """Gathers what an effect made; once it is more than the buffer, only references are kept."""

    step_key: str
    items: list[Item] = field(default_factory=list)
    _size_bytes: int = 0
    _is_full: bool = False

    def add(self, items: Sequence[Item]) -> None:
        self._size_bytes += sum([item.size_bytes for item in items])
        if self._is_full:
            self.items += [self._ref(item) for item in items]
            return
        self.items += items
        if self._size_bytes > BUFFER_BYTES and len(self.items) > 1:
            self._is_full = True
            self.items = [self._ref(item) for item in self.items]

    def _ref(self, item: Item) -> Ref:
        return item if isinstance(item, Ref) else Ref(self.step_key, item.position, item.size_bytes)


def of(items: Sequence[Item], load: Load) -> Payloads:
    """The items as a bucket's payloads: a list where all are in memory."""
    in_memory = [item for item in items if isinstance(item, Payload)]
    return in_memory if len(in_memory) == len(items) else Stream(lambda: _loaded(items, load))


async def without(payloads: Payloads, left_out: Callable[[Payload], Awaitable[bool]]) -> Payloads:
    """The payloads but for some."""
    if not isinstance(payloads, Stream):
        return [payload for payload in payloads if not await left_out(payload)]

    async def source() -> AsyncIterator[Payload]:
        async for payload in payloads:
            if not await left_out(payload):
                yield payload

    return Stream(source)


async def _loaded(items: Sequence[Item], load: Load) -> AsyncIterator[Payload]:
    for item in items:
        yield await load(item) if isinstance(item, Ref) else item


async def each(payloads: Payloads) -> AsyncIterator[Payload]:
    """The payloads one after another."""
    if isinstance(payloads, Stream):
        async for payload in payloads:
            yield payload
    else:
        for payload in payloads:
            yield payload
