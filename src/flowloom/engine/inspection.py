"""Looking at what a step was given and gave on, long after: the run's walk is repeated over what was recorded.

Definition, instant and variables of a run are pinned, so pure steps compute what they computed then; effects answer
from their checkpoints and are never called. Nothing is written.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row

from flowloom import errors
from flowloom.domain.payload import Payload
from flowloom.engine import outcomes, plan, records, streams
from flowloom.engine.active import NOTHING, Active
from flowloom.engine.context import StepContext
from flowloom.engine.effects import Effects, Pauses
from flowloom.engine.lookups import Lookups
from flowloom.engine.passes import Pass
from flowloom.engine.past import Past
from flowloom.engine.plan import PlanStep
from flowloom.engine.side import SideThreads
from flowloom.engine.surroundings import Surroundings
from flowloom.engine.walk import Walk
from flowloom.steps import contract
from flowloom.store import recall

# "untried": what had come to a step that ended, or waits, before it took them all.
Side = Literal["before", "after", "untried"]
# More payloads than these are not looked for.
MAX_SEEN = 10_000
LOOK_SECONDS = 30


class _Seen(Exception):
    """All that was asked for was seen, or the walk came to what was never recorded."""


class _Recorded(Effects):
    """Effects that only answer what they answered then."""

    async def work(
        self, step: PlanStep, context: StepContext, payload: Payload, *, is_last: bool
    ) -> Sequence[streams.Item]:
        before = self._active.recorded.get((step.key, payload.position), NOTHING)
        if not before.is_done:
            raise _Seen
        return before.payloads

    async def bury(
        self, step: PlanStep, payload: Payload, variables: Mapping[str, Any], fail: contract.Fail
    ) -> None:
        """What failed then is in the books already."""

    async def flush(self) -> None:
        """Nothing is written: what the steps note is in the books already."""
        self._active.take_unwritten()


@dataclass(slots=True, kw_only=True)
class _Watched(Pass):
    """What would be counted is shown to `keep`."""

    keep: Callable[[PlanStep, Side, Sequence[streams.Item]], None]

    def count_in(self, payloads: Sequence[streams.Item]) -> None:
        self.keep(self.step, "before", payloads)

    def count_out(self, payloads: Sequence[streams.Item]) -> None:
        self.keep(self.step, "after", payloads)


class _Look(Walk):
    """A walk that keeps what passes one side of one step, or comes no farther than to it."""

    def watch(self, step_key: str, side: Side, first: int, end: int) -> list[streams.Item]:
        """Keep the payloads from `first` up to `end`; the list that they come to."""
        self._step_key, self._side, self._first, self._end_at = step_key, side, first, end
        self._passed = self._taken = 0
        self._kept: list[streams.Item] = []
        return self._kept

    def _passing(self, step: PlanStep) -> Pass:
        return _Watched(self._around, self._active, step, keep=self._keep)

    async def _effect_all(
        self, step: PlanStep, bucket: streams.Bucket, passing: Pass
    ) -> Sequence[streams.Item]:
        if step.key != self._step_key or self._side != "untried":
            return await super()._effect_all(step, bucket, passing)
        try:
            return await super()._effect_all(step, bucket, passing)
        finally:
            number = 0
            async for payload in streams.each(bucket.payloads):
                number += 1
                if number > self._taken:
                    self._keep(step, "untried", [payload])

    def _keep(self, step: PlanStep, side: Side, payloads: Sequence[streams.Item]) -> None:
        if step.key != self._step_key:
            return
        self._taken += len(payloads) if side == "before" else 0
        if side == self._side:
            self._kept += payloads[max(self._first - self._passed, 0) : max(self._end_at - self._passed, 0)]
            self._passed += len(payloads)
            if self._passed >= self._end_at:
                raise _Seen


class Inspector:
    """Repeats walks; `payloads` is one look and may be called many times at once."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._lookups = Lookups(around)
        self._side = SideThreads("flowloom-look")

    def close(self) -> None:
        self._side.close()

    async def payloads(
        self, run_id: int, step_key: str, side: Side, first: int, count: int
    ) -> Sequence[Payload]:
        """The payloads at one side of a step, from `first` (0 the first one).

        Raises errors.Missing for a run that is not there or payloads that are gone, Invalid for an unknown step, and
        Busy when it takes longer than LOOK_SECONDS.
        """
        claimed = await self._around.database.read(_past, run_id)
        compiled = await self._around.database.read(plan.load, claimed.row.content_hash)
        if step_key not in compiled.steps:
            raise errors.Invalid.field(
                "step", f"The run has no step {step_key[:40]!r}; see its steps for their keys."
            )
        active = Active(claimed.row, self._around.clock)
        # As they are now: what they were then is not kept.
        active.lookups = await self._lookups.load(active.row.company_id, compiled.lookups)
        active.past = Past(is_lenient=True)
        arguments = active, claimed, compiled, self._around.blobs
        bucket = await records.away(records.recorded_bytes(claimed), records.restore, *arguments)
        effects = _Recorded(self._around, active, Pauses())
        look = _Look(self._around, active, effects, self._side)
        kept = look.watch(step_key, side, first, min(first + count, MAX_SEEN))
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                with contextlib.suppress(_Seen, outcomes.StepFailed, outcomes.RunStopped, outcomes.Parked):
                    await look.walk(compiled.require(claimed.row.start_step), bucket)
        except TimeoutError:
            raise errors.Busy(
                f"What this run did takes longer than {LOOK_SECONDS} seconds to repeat; look at an earlier step."
            ) from None
        return [item if isinstance(item, Payload) else await effects.load(item) for item in kept]


def _past(connection: Connection, run_id: int) -> recall.Claimed:
    """A run with all that was recorded of it, as one that is claimed has it. Raises Missing."""
    row: Row[Any] = recall.run(connection, run_id)
    claimed = recall.Claimed(row)
    recall.recall(connection, claimed)
    return claimed
