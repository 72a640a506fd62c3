"""What the server tells its operator: a line an event, text on a terminal and JSON otherwise.

Nothing ends because a line cannot be written: the log's disk may be full. Tracebacks come without the values of
variables, which may be secret.
"""

from __future__ import annotations

import contextlib
import json
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

Facts = Mapping[str, Any]
EVENT_WIDTH: Final = 30


class Out:
    """Standard error, and how lines look on it; there is one of it."""

    def __init__(self) -> None:
        self.render: Callable[[Facts], str] = as_json
        self.captured: list[dict[str, Any]] | None = None

    def tell(self, level: str, event: str, facts: Facts, error: BaseException | None) -> None:
        told = {**facts, "event": event, "level": level}
        if self.captured is not None:
            self.captured.append({**told, "exc_info": error})
            return
        told["timestamp"] = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        if error is not None:
            told["exception"] = "".join(traceback.format_exception(error)).rstrip()
        with contextlib.suppress(OSError):
            sys.stderr.write(f"{self.render(told)}\n")
            sys.stderr.flush()


def as_json(told: Facts) -> str:
    """One JSON object; what JSON does not know is written as Python shows it."""
    return json.dumps(dict(told), default=repr)


def as_text(told: Facts) -> str:
    """For a person: time, level, event, then the facts, each shown so that none can pretend to be a line."""
    own = ("event", "level", "timestamp", "exception")
    facts = " ".join(f"{name}={value!r}" for name, value in told.items() if name not in own)
    line = f"{told['timestamp']} [{told['level']:<7}] {told['event']:<{EVENT_WIDTH}} {facts}".rstrip()
    return f"{line}\n{told['exception']}" if "exception" in told else line


_out: Final = Out()


def configure(*, is_text: bool) -> None:
    """In which form lines are written from now on."""
    _out.render = as_text if is_text else as_json


@contextlib.contextmanager
def captured() -> Iterator[list[dict[str, Any]]]:
    """The events told inside the block, of {event, level, exc_info, ...facts}, which are then not written."""
    before, _out.captured = _out.captured, []
    try:
        yield _out.captured
    finally:
        _out.captured = before


def info(event: str, **facts: Any) -> None:
    """Tell that something happened."""
    _out.tell("info", event, facts, None)


def warning(event: str, **facts: Any) -> None:
    """Tell that something is not as it should be, and goes on."""
    _out.tell("warning", event, facts, None)


def error(event: str, *, exc_info: BaseException | None = None, **facts: Any) -> None:
    """Tell that something failed, with the traceback of `exc_info`."""
    _out.tell("error", event, facts, exc_info)


def exception(event: str, **facts: Any) -> None:
    """Tell of the exception that is being handled."""
    _out.tell("error", event, facts, sys.exception())
