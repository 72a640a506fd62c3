"""When data is too large to be worked on in the event loop, and the thread that works on it instead."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from flowloom.domain.bulk import LARGE_BYTES

P = ParamSpec("P")
T = TypeVar("T")
# A number, a flag, a key: what an entry takes in JSON besides the text that it holds.
_ENTRY_BYTES: Final = 8
# A union of types would be made anew for each value that is looked at.
_TEXTS: Final = (str, bytes)
_CONTAINERS: Final = (dict, list)


async def run(size_bytes: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `work` answers; on more than LARGE_BYTES it is called in a thread."""
    if size_bytes > LARGE_BYTES:
        return await asyncio.to_thread(work, *args, **kwargs)
    return work(*args, **kwargs)


def about_bytes(value: object) -> int:
    """About how many bytes the JSON of a value takes; what is beyond LARGE_BYTES is not counted further."""
    size, waiting = 0, [value]
    while waiting and size <= LARGE_BYTES:
        one = waiting.pop()
        if isinstance(one, _TEXTS):
            size += len(one)
        elif isinstance(one, _CONTAINERS):
            size += _ENTRY_BYTES * len(one)
            if size <= LARGE_BYTES:
                waiting.extend(one.values() if isinstance(one, dict) else one)
    return size
