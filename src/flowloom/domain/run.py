"""A run: its states, its triggers, and which transitions there are. Terminal states never change."""

from __future__ import annotations

import enum
from typing import Final


class Status(enum.IntEnum):
    """The state of a run, by the number the API shows."""

    QUEUED = 0
    STARTED = 1
    SUCCESS = 2
    FAILURE = 3
    STOPPED = 4
    PARTIAL = 5


class Trigger(enum.StrEnum):
    """What started a run."""

    API = "API"
    MANUAL = "Manual"
    WEBHOOK = "Webhook"
    SCHEDULE = "Schedule"
    SHAPE = "Shape"
    RETRY = "Retry"
    EVENT = "Event"
    CALLBACK = "Callback"


UNFINISHED: Final = (Status.QUEUED, Status.STARTED)
AUTOMATIC: Final = frozenset(
    {Trigger.WEBHOOK, Trigger.SCHEDULE, Trigger.SHAPE, Trigger.EVENT, Trigger.CALLBACK}
)
METRIC_KEYS: Final = {
    Status.SUCCESS: "success",
    Status.FAILURE: "failure",
    Status.STOPPED: "stopped",
    Status.PARTIAL: "partial",
}


def is_finished(status: int) -> bool:
    """Whether a run in this state never changes again."""
    return status not in UNFINISHED
