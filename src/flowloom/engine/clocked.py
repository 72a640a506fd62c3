"""Processor time of work that waits in between: what the event loop's thread spends on this, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Clocked(Generator[Any, Any, T], Generic[T]):
    """An awaitable that knows how many seconds of processor time it took so far; what is thrown in goes to the work."""

    def __init__(self, work: Awaitable[T]) -> None:
        self._steps: Any = work.__await__()
        self.seconds = 0.0

    def __await__(self) -> Generator[Any, Any, T]:
        return self

    def send(self, value: Any) -> Any:
        return self._timed(self._steps.send, value)

    def throw(self, *error: Any) -> Any:
        return self._timed(self._steps.throw, *error)

    def close(self) -> None:
        self._steps.close()

    def _timed(self, act: Callable[..., Any], *arguments: Any) -> Any:
        began = time.thread_time()
        try:
            return act(*arguments)
        finally:
            self.seconds += time.thread_time() - began
