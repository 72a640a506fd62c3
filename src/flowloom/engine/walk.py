"""A run's way through its plan: each step gets its bucket, what it answers goes on, what fails is caught or ends it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from flowloom.domain.payload import JSON_TYPE, Payload
from flowloom.domain.run import Status
from flowloom.engine import outcomes, records, streams
from flowloom.engine.active import Active
from flowloom.engine.context import StepContext
from flowloom.engine.effects import Effects
from flowloom.engine.outcomes import Judged, Parked, StepFailed
from flowloom.engine.plan import PlanStep
from flowloom.engine.side import SideThreads
from flowloom.engine.streams import Bucket, Payloads, Stream
from flowloom.engine.surroundings import Surroundings
from flowloom.steps import contract


@dataclass(slots=True)
class _Pass:
    """One bucket's way through one step, counted."""

    payloads_in: int = 0
    payloads_out: int = 0
    began: float = field(default_factory=time.perf_counter)


class Walk:
    """One run under way. `side` works on what is too large for the event loop."""

    def __init__(self, around: Surroundings, active: Active, effects: Effects, side: SideThreads) -> None:
        self._around = around
        self._active = active
        self._effects = effects
        self._threads = side
        # What went to a catch leg; a stream that is gone through again meets it again.
        self._caught: set[tuple[str, str]] = set()

    async def walk(self, step: PlanStep, bucket: Bucket) -> None:
        """Work a step and all that follows it. Raises StepFailed, RunStopped, Parked."""
        while bucket.payloads and (bucket := self._unresolved(step, bucket)).payloads:
            if step.has_routes:
                await self._fork(step, bucket)
                return
            if step.is_enabled:
                bucket = Bucket(await self._pass(step, bucket), bucket.variables)
            if not step.next:
                await _drain(bucket.payloads)
                return
            self._active.other_branches += 1
            for follower in step.next[:-1]:
                await self.walk(follower, Bucket(bucket.payloads, dict(bucket.variables)))
            self._active.other_branches -= 1
            step = step.next[-1]

    def _unresolved(self, step: PlanStep, bucket: Bucket) -> Bucket:
        """A bucket without what is not worked on any more at this step; one that is taken whole is looked at there."""
        if step.compiled.once or not any(key == step.key for key, _ in self._active.resolved):
            return bucket
        return Bucket(streams.without(bucket.payloads, partial(self._is_resolved, step)), bucket.variables)

    def _is_resolved(self, step: PlanStep, payload: Payload) -> bool:
        return (step.key, payload.position) in self._active.resolved

    async def _pass(self, step: PlanStep, bucket: Bucket) -> Payloads:
        """Work a step without routes; the payloads that go on."""
        if isinstance(bucket.payloads, Stream) and not step.compiled.effect:
            return await self._streamed(step, bucket)
        passing = self._begin(step)
        try:
            if step.compiled.effect:
                items = await self._effect_all(step, bucket, passing)
            else:
                items = await self._pure(step, bucket, passing)
        finally:
            self._took(step, passing)
        self._end(step, passing, f"{passing.payloads_in} in, {passing.payloads_out} out")
        return streams.of(items, self._effects.load)

    async def _pure(self, step: PlanStep, bucket: Bucket, passing: _Pass) -> Sequence[Payload]:
        assert not isinstance(bucket.payloads, Stream)
        answers = await self._answers(step, self._context(step, bucket), bucket.payloads, passing)
        going_on = await self._settled(step, bucket, bucket.payloads, answers)
        made = outcomes.payloads(step, going_on)
        self._count_out(step, passing, made)
        return made

    async def _answers(
        self, step: PlanStep, context: StepContext, payloads: Sequence[Payload], passing: _Pass
    ) -> Sequence[Judged]:
        """What a pure step answers; what is large is worked on in a side thread."""
        self._count_in(step, passing, payloads)
        self._active.tally(step.key).attempts += len(payloads)
        if records.is_long_to_work(payloads, context.variables):
            answers, seconds = await self._aside(step, context, payloads)
        else:
            answers, seconds = outcomes.compute(step, context, payloads)
        self._active.tally(step.key).cpu_seconds += seconds
        self._active.metrics["cpu", "microseconds"] += round(seconds * 1e6)
        return answers

    async def _aside(
        self, step: PlanStep, context: StepContext, payloads: Sequence[Payload]
    ) -> tuple[Sequence[Judged], float]:
        """The same in a side thread, for as long as the step has time and the run goes on."""
        seconds, company_id = step.compiled.timeout_seconds, self._active.row.company_id
        try:
            async with asyncio.timeout(seconds):
                return await self._threads.run(company_id, outcomes.compute, step, context, payloads)
        except TimeoutError:
            context.is_given_up = True
            why = f"{step.name} took longer than {seconds:g} seconds; give it fewer records at a time."
            raise StepFailed(step, contract.Fail(why, "timeout", whole_run=True)) from None
        except asyncio.CancelledError:
            context.is_given_up = True
            raise

    async def _settled(
        self, step: PlanStep, bucket: Bucket, payloads: Iterable[Payload], answers: Sequence[Judged]
    ) -> Sequence[outcomes.Answer]:
        """The answers that go on; failures are caught, or raised."""
        going_on: list[outcomes.Answer] = []
        for payload, answer in zip(payloads, answers, strict=False):
            if isinstance(answer, contract.Fail):
                await self._failed(step, bucket, payload, answer)
            else:
                going_on.append(answer)
        return going_on

    async def _streamed(self, step: PlanStep, bucket: Bucket) -> Stream:
        """A pure step over a stream, worked on as its payloads are asked for."""
        if step.compiled.sets_variables:
            # What follows sees the variables as the last payload sets them, as with a list.
            await _drain(self._mapped(step, bucket, bucket))
            return self._mapped(step, bucket, Bucket(bucket.payloads, dict(bucket.variables)))
        return self._mapped(step, bucket, bucket)

    def _mapped(self, step: PlanStep, bucket: Bucket, seen: Bucket, route: str | None = None) -> Stream:
        """The payloads of a stream after a pure step, or those that it hands to one of its routes."""
        context = self._context(step, seen)

        async def source() -> AsyncIterator[Payload]:
            passing = self._begin(step)
            async for payload in streams.each(bucket.payloads):
                answers = await self._answers(step, context, [payload], passing)
                for answer in await self._settled(step, bucket, [payload], answers):
                    made = outcomes.on_route(step, answer, route)
                    self._count_out(step, passing, made)
                    for one in made:
                        yield one
            self._took(step, passing)
            self._end(step, passing, f"{passing.payloads_in} in, {passing.payloads_out} out")

        return Stream(source)

    async def _fork(self, step: PlanStep, bucket: Bucket) -> None:
        """Work a step with routes: its legs side by side, each to its end even when another one fails, or in order."""
        if not step.is_enabled:
            return
        shares = await self._shares(step, bucket)
        legs = [(steps, Bucket(shares.get(key, []), bucket.variables)) for key, steps in step.legs.items()]
        self._active.other_branches += 1
        if step.routes_in_order:
            for steps, share in legs:
                await self._leg(steps, share)
        else:
            await _all_to_their_end([self._leg(steps, share) for steps, share in legs])
        self._active.other_branches -= 1

    async def _shares(self, step: PlanStep, bucket: Bucket) -> dict[str, Payloads]:
        """What each route of a step gets, by route key."""
        if isinstance(bucket.payloads, Stream):
            routes = [key for key in step.legs if key != step.compiled.catch]
            return {key: self._mapped(step, bucket, bucket, key) for key in routes}
        passing = self._begin(step)
        try:
            answers = await self._answers(step, self._context(step, bucket), bucket.payloads, passing)
            going_on = await self._settled(step, bucket, bucket.payloads, answers)
        finally:
            self._took(step, passing)
        shares = outcomes.shares(step, going_on)
        for share in shares.values():
            self._count_out(step, passing, share)
        told = ", ".join(f"{len(payloads)} on route {key}" for key, payloads in shares.items())
        self._end(step, passing, told)
        return dict(shares)

    async def _leg(self, steps: Sequence[PlanStep], bucket: Bucket) -> None:
        for step in steps:
            await self.walk(step, Bucket(bucket.payloads, dict(bucket.variables)))

    async def _effect_all(self, step: PlanStep, bucket: Bucket, passing: _Pass) -> Sequence[streams.Item]:
        """An effect for every payload of a bucket; what waits lets the others go first, unless it stands in line."""
        if step.compiled.once:
            return await self._effect_once(step, bucket, passing)
        context, shelf, number = self._context(step, bucket), streams.Shelf(step.key), 0
        waits: list[Parked] = []
        async for payload in streams.each(bucket.payloads):
            number += 1
            self._count_in(step, passing, [payload])
            is_last = self._is_last(step, bucket, number)
            try:
                made = await self._effect(step, context, bucket, payload, is_last=is_last)
            except Parked as parked:
                waits.append(parked)
                if parked.in_line:
                    break
                continue
            shelf.add(made)
            self._count_out(step, passing, made)
        if waits:
            raise outcomes.together(waits)
        return shelf.items

    def _is_last(self, step: PlanStep, bucket: Bucket, number: int) -> bool:
        """Whether nothing of the run comes after the effect for this payload of a bucket."""
        if step.next or self._active.other_branches or isinstance(bucket.payloads, Stream):
            return False
        return number == len(bucket.payloads)

    async def _effect(
        self, step: PlanStep, context: StepContext, bucket: Bucket, payload: Payload, *, is_last: bool
    ) -> Sequence[streams.Item]:
        failed_before = self._active.failures.get((step.key, payload.position))
        try:
            if failed_before is not None:
                raise StepFailed(step, failed_before)
            return await self._effects.work(step, context, payload, is_last=is_last)
        except StepFailed as failed:
            await self._failed(step, bucket, payload, failed.fail)
            return ()

    async def _effect_once(self, step: PlanStep, bucket: Bucket, passing: _Pass) -> Sequence[streams.Item]:
        """One effect for the whole bucket, whose payloads go on as they are, with what the answer's meta adds."""
        payloads = [payload async for payload in streams.each(bucket.payloads)]
        if not payloads or self._is_resolved(step, payloads[0]):
            return ()
        self._count_in(step, passing, payloads)
        whole = replace(payloads[0], body=[payload.body for payload in payloads], content_type=JSON_TYPE)
        made = await self._effect(step, self._context(step, bucket), bucket, whole, is_last=False)
        if not made:
            return ()
        added = made[0].meta if isinstance(made[0], Payload) else {}
        self._count_out(step, passing, payloads)
        return [replace(payload, meta={**payload.meta, **added}) for payload in payloads]

    async def _failed(self, step: PlanStep, bucket: Bucket, payload: Payload, fail: contract.Fail) -> None:
        """Keep what failed for good; walk the catch leg with it at once, or raise StepFailed."""
        key = step.key, payload.position
        if key in self._caught:
            return
        is_new = key not in self._active.failures
        if is_new:
            self._active.tally(step.key).failed += 1
            await self._effects.bury(step, payload, bucket.variables, fail)
        if step.guard is None or fail.whole_run:
            raise StepFailed(step, fail)
        self._caught.add(key)
        if is_new:
            await self._effects.flush()
            self._around.reach("failure-recorded")
        await self._catch(step, step.guard, bucket, payload, fail)

    async def _catch(
        self, step: PlanStep, guard: PlanStep, bucket: Bucket, payload: Payload, fail: contract.Fail
    ) -> None:
        is_failure = guard.compiled.caught_status == "failure"
        self._active.caught.add(Status.FAILURE if is_failure else Status.PARTIAL)
        about = {
            "error_message": self._active.redact(fail.why),
            "error_step": step.name,
            "error_step_key": step.key,
            "error_class": fail.error_class,
        }
        position = f"{payload.position}.e{step.index}"
        caught = replace(payload, meta={**payload.meta, **about}, position=position)
        self._active.other_branches += 1
        await self._leg(guard.legs.get(guard.compiled.catch or "", ()), Bucket([caught], bucket.variables))
        self._active.other_branches -= 1

    def _context(self, step: PlanStep, bucket: Bucket) -> StepContext:
        return StepContext(self._active, step, bucket.variables, self._around)

    def _begin(self, step: PlanStep) -> _Pass:
        tally = self._active.tally(step.key)
        tally.began_at = tally.began_at or self._around.clock()
        self._around.publish(self._active.row.id, {"type": "step", "step": step.key, "state": "started"})
        return _Pass()

    def _took(self, step: PlanStep, passing: _Pass) -> None:
        self._active.tally(step.key).seconds += time.perf_counter() - passing.began

    def _end(self, step: PlanStep, passing: _Pass, told: str) -> None:
        tally = self._active.tally(step.key)
        tally.lines += 1
        if tally.lines > tally.lines_before:
            self._active.log(step.key, "info", f"{step.name}: {told}")
        count = passing.payloads_out
        event = {"type": "step", "step": step.key, "state": "finished", "payloads": count}
        self._around.publish(self._active.row.id, event)

    def _count_in(self, step: PlanStep, passing: _Pass, payloads: Sequence[streams.Item]) -> None:
        tally, count = self._active.tally(step.key), len(payloads)
        passing.payloads_in += count
        tally.payloads_in += count
        tally.bytes_in += sum([payload.size_bytes for payload in payloads])
        self._active.metrics["operations", "count"] += count

    def _count_out(self, step: PlanStep, passing: _Pass, payloads: Sequence[streams.Item]) -> None:
        tally, count = self._active.tally(step.key), len(payloads)
        passing.payloads_out += count
        tally.payloads_out += count
        tally.bytes_out += sum([payload.size_bytes for payload in payloads])


async def _drain(payloads: Payloads) -> None:
    """Go through a stream that nothing asks for: what its steps fail on or set is found on the way."""
    if isinstance(payloads, Stream):
        async for _ in payloads:
            pass


async def _all_to_their_end(legs: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Work legs side by side. One that waits lets the run wait; else a failure comes before a stop."""
    results = await asyncio.gather(*legs, return_exceptions=True)
    raised = [result for result in results if isinstance(result, BaseException)]
    if waits := [one for one in raised if isinstance(one, Parked)]:
        raise outcomes.together(waits)
    if raised:
        raise min(raised, key=lambda one: isinstance(one, outcomes.RunStopped))
