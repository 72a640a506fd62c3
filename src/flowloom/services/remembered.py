"""Look-ups that are remembered for one second: as long as a change by another process may stay unseen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

V = TypeVar("V")
REMEMBERED: Final = timedelta(seconds=1)
MAX_REMEMBERED: Final = 10_000


class Remembered(Generic[V]):
    """Values by key; `forget()` after a change in this process."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[datetime, V]] = {}
        self._forgotten = 0

    async def get(self, key: str, now: datetime, look_up: Callable[[], Awaitable[V]]) -> V:
        """The value, looked up when it is not remembered any more. What `look_up` raises is not remembered."""
        known = self._values.get(key)
        if known is not None and known[0] > now:
            return known[1]
        forgotten = self._forgotten
        value = await look_up()
        if len(self._values) >= MAX_REMEMBERED:
            self._values.clear()
        # What was looked up before a change may be what the change took away.
        if forgotten == self._forgotten:
            self._values[key] = (now + REMEMBERED, value)
        return value

    def forget(self) -> None:
        self._values.clear()
        self._forgotten += 1
