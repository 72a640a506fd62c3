"""What a run knows of itself while it is worked on: its row, what was recorded before, what is not written yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import Row

from flowloom.domain import bulk, lookup, run
from flowloom.domain.payload import Payload
from flowloom.engine import tracing
from flowloom.engine.past import Past
from flowloom.engine.streams import Item
from flowloom.steps import contract
from flowloom.store import journal, redaction

Level = Literal["debug", "info", "warning", "error"]
# What a step may wait for: the turn under its connection's rate limit, the pause that its system asked for, the rest
# of its connection's circuit breaker, the usual pause before the next attempt, a delay's end, a run of another flow.
Waited = Literal["rate_limit", "retry_after", "circuit", "backoff", "delay", "child"]
MAX_MESSAGE = 2000


class Recorded(msgspec.Struct, frozen=True):
    """What was checkpointed of one effect for one payload: what it made so far, and how it goes on, if it does.

    `rows` counts the rows that say so: one for each payload and one for each answer without any; `waits` those of
    its waits, of which `wait` is the last: {until, what, state, child_id, for_child} or {until, what, attempt}; see
    Waited. `digest` is that of the payload.
    """

    payloads: Sequence[Item] = ()
    cursor: Any = None
    rows: int = 0
    waits: int = 0
    wait: Mapping[str, Any] | None = None
    digest: str | None = None

    @property
    def is_done(self) -> bool:
        return self.rows > 0 and self.cursor is None

    def after(self, made: int) -> Recorded:
        """What the next answer comes behind, after one that made so many payloads."""
        return Recorded(rows=self.rows + max(made, 1), waits=self.waits, digest=self.digest)


NOTHING: Final = Recorded()


@dataclass(slots=True)
class StepTally:
    """What one step did in this run, for the run's summary. Its waits count towards its `seconds`."""

    payloads_in: int = 0
    payloads_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    failed: int = 0
    attempts: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    began_at: datetime | None = None
    # How many lines say how the step went, and how many of them were written before the run waited.
    lines: int = 0
    lines_before: int = 0
    # When it last said that it waits for its turn under a rate limit.
    told_at: datetime | None = None
    # Seconds by what it waited for, once it did.
    waited: dict[Waited, float] | None = None
    # Since when it waits outside of memory, and for what.
    parked: tuple[datetime, Waited | None] | None = None

    def wait(self, what: Waited, seconds: float) -> None:
        """It has waited for something; a clock that was set back takes nothing away."""
        self.waited = self.waited or {}
        self.waited[what] = self.waited.get(what, 0.0) + max(seconds, 0.0)


@dataclass(slots=True)
class Active:
    """A run in this process: its row, what was recorded before, and what is not written yet."""

    row: Row[Any]
    clock: Callable[[], datetime]
    recorded: Mapping[tuple[str, str], Recorded] = field(default_factory=dict)
    # Which payload that comes now is one of those that something was recorded for before.
    past: Past = field(default_factory=Past)
    # What is not worked on any more, by step key and position: of the run that this one repeats, it was re-driven
    # or discarded.
    resolved: set[tuple[str, str]] = field(default_factory=set)
    # What failed for good, by step key and position, recorded before or now.
    failures: dict[tuple[str, str], contract.Fail] = field(default_factory=dict)
    lines: journal.Lines = field(default_factory=journal.Lines)
    metrics: Counter[tuple[str, str]] = field(default_factory=Counter)
    tallies: dict[str, StepTally] = field(default_factory=dict)
    # What is taken out of all that is kept of it.
    secrets: set[str] = field(default_factory=set)
    # The secrets of its version, by name.
    secret_variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    has_warnings: bool = False
    # What a try-catch took: the status that each wants the run to end with.
    caught: set[run.Status] = field(default_factory=set)
    # The lookup tables that its steps read, all as they were when it was taken up.
    lookups: lookup.Lookups = field(default_factory=lambda: lookup.NONE)
    # Until its plan is known it may have claimed keys of data pools before.
    may_hold_claims: bool = True
    # How many branches of the plan wait for the one that is walked, or are walked beside it.
    other_branches: int = 0
    # What is told of it to those who trace it.
    trace: tracing.RunTrace = tracing.NO_TRACE

    def count_cpu(self, step_key: str, seconds: float) -> None:
        """Count processor time of a step."""
        self.tally(step_key).cpu_seconds += seconds
        self.metrics["cpu", "microseconds"] += round(seconds * 1e6)

    def log(self, step_key: str | None, level: Level, message: str) -> None:
        """Add a log line; it is written with the next checkpoint or the end."""
        self.has_warnings = self.has_warnings or level == "warning"
        self.lines.logs.append(
            {
                "run_id": self.row.id,
                "step_key": step_key,
                "level": level,
                "message": self.redact(message),
                "created_at": self.clock(),
            }
        )

    def redact(self, message: str) -> str:
        """A message as it may be shown: without the secrets that this run has used so far, and cut."""
        if self.secrets:
            message = redaction.text(message, self.secrets)
        return message.replace("\0", "")[:MAX_MESSAGE]

    def redact_answer(self, response: contract.Response) -> contract.Response:
        """An answer without the secrets that an echoing server sent back: it becomes a payload that many may read."""
        if not self.secrets:
            return response
        hidden = tuple(self.secrets)
        body = redaction.body(response.body, hidden, response.headers.get("content-type", ""))
        # All at once, as lines of one text: none of them holds a line break.
        head = "\n".join([response.url, *response.headers, *response.headers.values()])
        url, *lines = redaction.text(head, hidden).split("\n")
        count = len(response.headers)
        headers = dict(zip(lines[:count], lines[count:], strict=True))
        return msgspec.structs.replace(response, body=body, headers=headers, url=url)

    def redact_payload(self, payload: Payload) -> Payload:
        """What a step made, without the run's secrets: whatever form they came in, it is read by now."""
        if not self.secrets:
            return payload
        hidden = tuple(self.secrets)
        meta = {name: redaction.text(value, hidden) for name, value in payload.meta.items()}
        return msgspec.structs.replace(payload, body=_redacted(payload.body, hidden), meta=meta)

    def tally(self, step_key: str) -> StepTally:
        found = self.tallies.get(step_key)
        if found is None:
            found = self.tallies[step_key] = StepTally()
        return found

    @property
    def held(self) -> tuple[int, int]:
        """The run, and the fence under which it is worked on here."""
        return self.row.id, self.row.fence

    def take_unwritten(self) -> journal.Lines:
        """What is not written yet; it counts as taken."""
        taken, self.lines = self.lines, journal.Lines()
        taken.of_run = self.held
        return taken


def _redacted(body: object, hidden: Collection[str]) -> object:
    if isinstance(body, bytes):
        return redaction.body(body, hidden)
    if isinstance(body, str):
        return redaction.body(body.encode(errors="surrogatepass"), hidden).decode(errors="surrogatepass")
    before = bulk.encode(body)
    after = redaction.body(before, hidden)
    return body if after == before else bulk.decode(after)
