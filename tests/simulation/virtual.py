"""An event loop on virtual time: nothing sleeps, and when nothing is left to do time jumps to the next timer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

ROUNDS = 100


class _NoSockets:
    """Where a loop waits for sockets; here waiting is what makes time go on."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("Nothing is left that could ever happen.")
        self._loop.now += timeout
        return []


class Loop(asyncio.BaseEventLoop):
    """Tasks run in the order in which they became ready; what would be done in a thread is done at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._selector = _NoSockets(self)
        self._clock_resolution = 1e-9
        self._made: list[asyncio.Task[Any]] = []
        self.set_task_factory(self._make)
        self.set_exception_handler(lambda _loop, _context: None)

    def time(self) -> float:
        return self.now

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done

    def run_until(self, instant: float) -> None:
        """Let happen what happens until then, or until somebody stops the loop."""
        timer = self.call_at(instant, self.stop)
        self.run_forever()
        timer.cancel()

    def kill(self) -> None:
        """End every task wherever it is, and forget every timer. The tasks' last words must do no harm."""
        for _ in range(ROUNDS):
            self._made = [task for task in self._made if not task.done()]
            if not self._made:
                break
            for task in self._made:
                task.cancel()
            self.call_soon(self.call_soon, self.stop)
            self.run_forever()
        else:
            raise RuntimeError(f"These tasks cannot be ended: {self._made}")
        self._scheduled.clear()
        self._ready.clear()

    def _make(self, _loop: asyncio.AbstractEventLoop, work: Any, **named: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(work, loop=self, **named)
        self._made.append(task)
        return task

    def _process_events(self, event_list: list[Any]) -> None:
        """There are no sockets."""

    def _write_to_self(self) -> None:
        """Nobody waits in another thread."""
