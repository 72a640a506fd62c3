"""Patience with the stores: while a run needs them it waits until they answer, and is not lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import structlog

from flowloom import errors

log = structlog.get_logger(__name__)
T = TypeVar("T")
PAUSE_SECONDS: Final = 1.0


async def patiently(work: Callable[[], Awaitable[T]], sleep: Callable[[float], Awaitable[None]]) -> T:
    """Do work, and again as long as it raises errors.Busy."""
    while True:
        try:
            return await work()
        except errors.Busy as error:
            log.warning("database_busy", reason=error.message)
            await sleep(PAUSE_SECONDS)
