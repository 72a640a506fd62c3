"""The named places where a process can die between two durable facts.

A crash test starts the server with FLOWLOOM_FAULT=<point>[:<n>]: at the n-th arrival the process kills itself, as
a power cut would. Without the variable a point costs a comparison.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from typing import Final

POINTS: Final = {
    "journal-before-write": "a group was taken up, nothing of it is written",
    "journal-after-commit": "a group is committed, nobody was told",
    "run-claimed": "a run is claimed, none of its steps began",
    "payload-packed": "large bodies are in their files, the rows that name them are not written",
    "effect-done": "the other side has answered, the checkpoint is not written",
    "effect-recorded": "the checkpoint is written, the next step did not begin",
    "keys-claimed": "keys of a data pool are claimed, the step that asked for them is not recorded",
    "failure-recorded": "a failed payload is a dead letter, its catch leg did not begin",
    "child-started": "a run of another flow is committed, the step that waits for it is not recorded",
    "run-before-park": "a run is to wait outside of memory, that is not written",
    "run-parked": "a run waits outside of memory, its worker did not let go of it",
    "run-before-end": "all steps are done, the end is not written",
    "run-ended": "the end is written, nobody was told",
    "notification-delivered": "a message was handed over, that it was is not written",
    "schedules-fired": "a group of schedules has fired, nobody was told",
    "rows-pruned": "rows are removed, the files they named are not",
}


class Faults:
    """The armed point, if any."""

    def __init__(self, armed: str | None = None, arrivals: int = 1) -> None:
        self._armed = armed
        self._left = arrivals

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Faults:
        """What FLOWLOOM_FAULT says. Raises ValueError for a point that does not exist."""
        point, _, arrivals = environ.get("FLOWLOOM_FAULT", "").partition(":")
        if point and point not in POINTS:
            raise ValueError(
                f"FLOWLOOM_FAULT={point}: there is no such point; there are {', '.join(POINTS)}."
            )
        return cls(point or None, int(arrivals or 1))

    def reach(self, point: str) -> None:
        """Die here if this point is armed and its time has come."""
        if point != self._armed:
            return
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
