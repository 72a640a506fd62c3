"""The effects of a run: called once a payload, tried again, waited for, and recorded before the run goes on."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import msgspec

from flowloom import errors
from flowloom.domain import formats, timestamp
from flowloom.domain.payload import Payload
from flowloom.engine import outcomes, past, records, streams, writes
from flowloom.engine.active import NOTHING, Active, Recorded, Waited
from flowloom.engine.clocked import Clocked
from flowloom.engine.context import StepContext
from flowloom.engine.plan import PlanStep
from flowloom.engine.surroundings import Surroundings
from flowloom.steps import aside, contract
from flowloom.store import recall

BACKOFF_SECONDS: Final = 1.0
MAX_BACKOFF_SECONDS: Final = 60.0
# A longer pause before the next attempt is waited for outside of memory; those of the usual three retries are shorter.
PARK_SECONDS: Final = 10.0

# What steps without effects log and track is written with what comes next, but no more than this waits for it.
MAX_NOTED: Final = 10_000


@dataclass(slots=True)
class Pauses:
    """How many runs of this process wait in memory to try something again; they leave their places to others."""

    count: int = 0


@dataclass(slots=True)
class _Tries:
    """Which attempt comes next, and how often the circuit of the connection let none out: both have their limits."""

    attempt: int = 1
    rests: int = 0

    @classmethod
    def of(cls, wait: Mapping[str, Any]) -> _Tries:
        """As they were when a wait was recorded."""
        return cls(wait.get("attempt", 1), wait.get("rests", 0))

    @property
    def state(self) -> dict[str, int]:
        return {"attempt": self.attempt, **({"rests": self.rests} if self.rests else {})}

    def count(self, outcome: contract.Retry, retries: int) -> str | None:
        """Count one; why to give up, if there are no more."""
        if outcome.is_resting:
            self.rests += 1
            gives_up = self.rests > retries + 1
            return f"{outcome.why} Gave up after it rested {retries + 1} times." if gives_up else None
        self.attempt += 1
        made = self.attempt - 1
        return f"{outcome.why} Gave up after {made} attempts." if made > retries else None

    def told(self, outcome: contract.Retry, pause: float) -> str:
        """What comes next, for the log."""
        number = "" if outcome.is_resting else f" (attempt {self.attempt - 1})"
        return f"{outcome.why} Trying again in {pause:.1f} s{number}."


class Effects:
    """The effects of one run."""

    def __init__(self, around: Surroundings, active: Active, pauses: Pauses) -> None:
        self._around = around
        self._active = active
        self._pauses = pauses

    async def work(
        self, step: PlanStep, context: StepContext, payload: Payload, *, is_last: bool
    ) -> Sequence[streams.Item]:
        """One effect for one payload, from where its checkpoints leave off, page by page.

        `is_last`: nothing of the run comes after it, so that its last answer is recorded with the run's end.
        Raises StepFailed, RunStopped, Parked.
        """
        before = self._active.recorded.get((step.key, payload.position), NOTHING)
        self._require_passed(before)
        if before.is_done:
            return before.payloads
        before = msgspec.structs.replace(before, digest=await self._digest(step, payload))
        shelf = streams.Shelf(step.key)
        shelf.add(before.payloads)
        context.cursor, context.position = before.cursor, payload.position
        context.waited = before.wait and before.wait.get("state")
        while True:
            try:
                done = await self._attempts(step, context, payload, before)
                self._around.reach("effect-done")
                made = await self._checkpoint(step, context, payload, done, before)
            except outcomes.StepFailed as failed:
                raise outcomes.StepFailed(step, failed.fail, shelf.items) from None
            shelf.add(made)
            context.cursor, before = done.cursor, before.after(len(made))
            if done.cursor is not None or not is_last:
                await self.flush()
            if done.cursor is None:
                return shelf.items

    async def placed(self, step: PlanStep, payload: Payload) -> Payload:
        """A payload under the position at which the step has recorded something for it before, if it has."""
        known = self._active.past
        if not known.knows(step.key):
            return payload
        position = known.place(step.key, payload.position, await self._digest(step, payload))
        return (
            payload if position == payload.position else msgspec.structs.replace(payload, position=position)
        )

    async def _digest(self, step: PlanStep, payload: Payload) -> str | None:
        if not step.compiled.is_matched_by_content:
            return None
        return await aside.run(payload.size_bytes, past.digest, payload)

    def _require_passed(self, before: Recorded) -> None:
        """Raise Parked while a recorded wait goes on; one for a child run may be asked after at any time."""
        if before.wait is None or before.is_done or before.wait.get("for_child"):
            return
        until = datetime.fromisoformat(before.wait["until"])
        if self._around.clock() < until:
            raise outcomes.Parked(until, what=before.wait.get("what"), in_line="attempt" in before.wait)

    async def _attempts(
        self, step: PlanStep, context: StepContext, payload: Payload, before: Recorded
    ) -> contract.Done:
        """Call an effect until it is done, with backoff between. Raises StepFailed, RunStopped or Parked."""
        tries = _Tries.of(before.wait or {})
        while isinstance(outcome := await self._call(step, context, payload), contract.Retry):
            if outcome.is_resting:
                self._active.tally(step.key).attempts -= 1  # nothing was asked
            if (why := tries.count(outcome, step.compiled.retries)) is not None:
                raise outcomes.StepFailed(step, contract.Fail(why, outcome.error_class))
            pause, what = self._pause_seconds(outcome, tries.attempt - 1), _paused_for(outcome)
            self._active.log(step.key, "warning", tries.told(outcome, pause))
            if pause > PARK_SECONDS:
                until = self._around.clock() + timedelta(seconds=pause)
                state = {"until": timestamp.written(until), "what": what, **tries.state}
                await self._wait(step, payload, before, state)
                raise outcomes.Parked(until, what=what, in_line=True)
            await self.flush()
            await self._pause(step, what, pause)
        if isinstance(outcome, contract.Wait):
            await self._park(step, payload, before, outcome)
        if isinstance(outcome, contract.Fail):
            raise outcomes.StepFailed(step, outcome)
        return outcomes.done(step, outcomes.judge(step, outcome))

    async def _park(self, step: PlanStep, payload: Payload, before: Recorded, wait: contract.Wait) -> None:
        """Record a wait, unless it is the one that was recorded last, and raise Parked."""
        what: Waited = "delay" if wait.child_id is None else "child"
        if before.wait is None or before.wait.get("state") != wait.state:
            self._active.log(step.key, "info", wait.why)
            about = {
                "what": what,
                "state": wait.state,
                "child_id": wait.child_id,
                "for_child": wait.for_child,
            }
            await self._wait(step, payload, before, {"until": timestamp.written(wait.until), **about})
        raise outcomes.Parked(wait.until, what=what, for_child=wait.for_child)

    async def _wait(self, step: PlanStep, payload: Payload, before: Recorded, state: dict[str, Any]) -> None:
        row = records.wait(self._active, step, payload, before, state)
        packed = await self._packed([row])
        self._active.lines.payloads += packed
        await self.flush()

    async def _call(self, step: PlanStep, context: StepContext, payload: Payload) -> contract.Outcome:
        self._active.tally(step.key).attempts += 1
        work = Clocked(_run(step, context, payload))
        try:
            async with asyncio.timeout(step.compiled.timeout_seconds):
                return await work
        except TimeoutError:
            return contract.Retry(
                f"No answer within {step.compiled.timeout_seconds:g} seconds.", error_class="timeout"
            )
        except RecursionError:
            return outcomes.too_deep(step)
        except errors.FlowloomError as error:
            return contract.Fail(error.message)
        finally:
            self._active.count_cpu(step.key, work.seconds)

    async def _checkpoint(
        self, step: PlanStep, context: StepContext, payload: Payload, done: contract.Done, before: Recorded
    ) -> Sequence[streams.Item]:
        """Put the rows that record an answer, packed, to what is to be written. What is large is worked on aside.

        What goes on is what a restart would read: in CSV and XML everything is text.
        """
        if done.pages is not None:
            return await self._checkpoint_pages(step, payload, done, done.pages, before)

        def settle() -> tuple[Sequence[Payload], list[dict[str, Any]]]:
            made = [self._active.redact_payload(formats.settled(one)) for one in done.payloads]
            rows = records.checkpoint(self._active, step, payload, done, made, before)
            return made, rows + writes.replies(self._active, step, done.writes)

        if records.is_long_to_work(done.payloads, context.variables):
            made, rows = await asyncio.to_thread(settle)
        else:
            made, rows = settle()
        packed = await self._around.keep(lambda: self._packed(rows))
        # Only now: meanwhile another leg may have taken what was not written.
        self._active.lines.payloads += packed
        at = self._around.clock()
        self._active.lines.writes += [
            writes.prepare(self._active, step, payload.position, write, at)
            for write in done.writes
            if not isinstance(write, contract.Reply)
        ]
        self._around.reach("payload-packed")
        return made

    async def _checkpoint_pages(
        self,
        step: PlanStep,
        payload: Payload,
        done: contract.Done,
        pages: Iterator[Payload],
        before: Recorded,
    ) -> Sequence[streams.Item]:
        """The same for pages that are in memory one at a time. They are recorded together, or not at all."""

        def next_page() -> tuple[streams.Ref, list[dict[str, Any]]] | None:
            page = next(pages, None)
            if page is None:
                return None
            made = self._active.redact_payload(formats.settled(page))
            rows = records.checkpoint(self._active, step, payload, done, [made], before)
            return streams.Ref(step.key, made.position, made.size_bytes), rows

        made: list[streams.Item] = []
        packed: list[dict[str, Any]] = []
        try:
            while (page := await asyncio.to_thread(next_page)) is not None:
                made.append(page[0])
                packed += await self._around.keep(partial(self._packed, page[1]))
        except contract.Broken as broken:
            raise outcomes.StepFailed(step, contract.Fail(broken.why)) from None
        if not made:
            packed = records.pack(
                records.checkpoint(self._active, step, payload, done, (), before), self._around.blobs
            )
        self._active.lines.payloads += packed
        self._around.reach("payload-packed")
        return made

    async def _packed(self, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return await records.away(records.raw_bytes(rows), records.pack, rows, self._around.blobs)

    async def bury(
        self, step: PlanStep, payload: Payload, variables: Mapping[str, Any], fail: contract.Fail
    ) -> None:
        """Put a payload that failed for good to what is to be written: it is a dead letter."""
        self._active.log(step.key, "error", fail.why)
        row = records.dead_letter(self._active, step, payload, variables, fail)
        packed = await self._around.keep(lambda: self._packed([row]))
        self._active.lines.dead_letters += packed

    async def load(self, ref: streams.Ref) -> Payload:
        """A recorded payload that was left out of memory. Raises errors.Missing."""
        read = self._around.database.read
        row = await self._around.keep(
            lambda: read(recall.payload, self._active.row.id, ref.step_key, ref.position)
        )
        blobs = self._around.blobs
        found: Payload = await self._around.keep(lambda: records.away(row.bytes, records.payload, row, blobs))
        return found

    async def _pause(self, step: PlanStep, what: Waited, seconds: float) -> None:
        began = self._around.clock()
        self._pauses.count += 1
        self._around.broker.wake()
        try:
            await self._around.sleep(seconds)
        finally:
            self._pauses.count -= 1
            self._active.tally(step.key).wait(what, (self._around.clock() - began).total_seconds())

    def _pause_seconds(self, outcome: contract.Retry, attempt: int) -> float:
        if outcome.after_seconds is not None:
            return outcome.after_seconds
        backoff = min(BACKOFF_SECONDS * 2.0 ** (attempt - 1), MAX_BACKOFF_SECONDS)
        return backoff * (0.5 + self._around.random())

    async def relieve(self) -> None:
        """Write what is not written yet if it is so much that memory would grow with it."""
        if self._active.lines.noted > MAX_NOTED:
            await self.flush()

    async def flush(self) -> None:
        """Write what is not written yet."""
        await self._around.record(self._active.take_unwritten())
        self._around.reach("effect-recorded")


def _paused_for(outcome: contract.Retry) -> Waited:
    if outcome.is_resting:
        return "circuit"
    return "backoff" if outcome.after_seconds is None else "retry_after"


async def _run(step: PlanStep, context: StepContext, payload: Payload) -> contract.Outcome:
    outcome = step.compiled.run(context, payload)
    return await outcome if inspect.isawaitable(outcome) else outcome
