"""Processor time of work that waits in between: what the event loop's thread spends on this, and nothing else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Clocked(Generic[T]):
    """An awaitable that knows how many seconds of processor time it took so far."""

    def __init__(self, work: Awaitable[T]) -> None:
        self._work = work
        self.seconds = 0.0

    def __await__(self) -> Generator[Any, Any, T]:
        steps = self._work.__await__()
        go_on: Callable[[], Any] = partial(next, steps)
        while True:
            began = time.thread_time()
            try:
                waits_for = go_on()
            except StopIteration as done:
                answer: T = done.value
                return answer
            finally:
                self.seconds += time.thread_time() - began
            try:
                yield waits_for
            except asyncio.CancelledError as cancelled:
                go_on = partial(steps.throw, cancelled)
            else:
                go_on = partial(next, steps)
