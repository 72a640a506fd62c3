"""A run's way through its plan: each step gets its bucket, what it answers goes on, what fails is caught or ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, cast

from msgspec.structs import replace

from flowloom.domain.payload import JSON_TYPE, Payload
from flowloom.domain.run import Status
from flowloom.engine import outcomes, records, streams
from flowloom.engine.active import NOTHING, Active
from flowloom.engine.context import StepContext
from flowloom.engine.effects import Effects
from flowloom.engine.outcomes import Judged, Parked, StepFailed
from flowloom.engine.passes import Pass
from flowloom.engine.plan import PlanStep
from flowloom.engine.side import SideThreads
from flowloom.engine.streams import Bucket, Payloads, Stream
from flowloom.engine.surroundings import Surroundings
from flowloom.steps import contract, sizes


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
        while bucket.payloads:
            if self._active.resolved and not (bucket := await self._unresolved(step, bucket)).payloads:
                return
            if step.has_routes:
                await self._fork(step, bucket)
                return
            if step.is_enabled:
                bucket = Bucket(await self._pass(step, bucket), bucket.variables)
            if not step.next:
                await self._finish(step, bucket.payloads)
                return
            self._active.other_branches += 1
            for follower in step.next[:-1]:
                await self.walk(follower, Bucket(bucket.payloads, dict(bucket.variables)))
            self._active.other_branches -= 1
            step = step.next[-1]

    async def _unresolved(self, step: PlanStep, bucket: Bucket) -> Bucket:
        """A bucket without what is not worked on any more at this step; one that is taken whole is looked at there."""
        if step.compiled.once or not any(key == step.key for key, _ in self._active.resolved):
            return bucket
        left = await streams.without(bucket.payloads, partial(self._is_resolved, step))
        return Bucket(left, bucket.variables)

    async def _is_resolved(self, step: PlanStep, payload: Payload) -> bool:
        """Whether a payload is left out; what an effect made of it before it failed goes on all the same."""
        placed = await self._effects.placed(step, payload)
        key = step.key, placed.position
        return key in self._active.resolved and not self._active.recorded.get(key, NOTHING).payloads

    async def _finish(self, step: PlanStep, payloads: Payloads) -> None:
        """Go through a stream that nothing asks for: what its steps fail on, set or count is found on the way."""
        if step.is_enabled and step.compiled.effect and not step.compiled.once:
            return  # it has gone through its bucket, and what it made is recorded
        await _drain(payloads)

    async def _pass(self, step: PlanStep, bucket: Bucket) -> Payloads:
        """Work a step without routes; the payloads that go on."""
        if isinstance(bucket.payloads, Stream) and not step.compiled.effect:
            return await self._streamed(step, bucket)
        with self._begin(step) as passing:
            made: Payloads
            if step.compiled.once:
                made = await self._effect_once(step, bucket, passing)
            elif step.compiled.effect:
                made = streams.of(await self._effect_all(step, bucket, passing), self._effects.load)
            else:
                made = await self._pure(step, bucket, passing)
        passing.end()
        return made

    async def _pure(self, step: PlanStep, bucket: Bucket, passing: Pass) -> Sequence[Payload]:
        assert not isinstance(bucket.payloads, Stream)
        passing.count_in(bucket.payloads)
        answers = await self._answers(step, self._context(step, bucket), bucket.payloads)
        going_on = await self._settled(step, bucket, bucket.payloads, answers)
        made = outcomes.payloads(step, going_on)
        passing.count_out(made)
        return made

    async def _answers(
        self, step: PlanStep, context: StepContext, payloads: Sequence[Payload]
    ) -> Sequence[Judged]:
        """What a pure step answers; what is large is worked on in a side thread."""
        tally = self._active.tally(step.key)
        if not context.is_repeat:
            tally.attempts += len(payloads)
        if records.is_long_to_work(payloads, context.variables):
            answers, seconds = await self._aside(step, context, payloads)
        else:
            answers, seconds = outcomes.compute(step, context, payloads)
        if not context.is_repeat:
            self._active.count_cpu(step.key, seconds)
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
        """The answers that go on; failures are caught, or raised. What failed before a wait or a crash stays failed."""
        if not (self._active.failures or any(map(_is_failure, answers))):
            return cast(Sequence[outcomes.Answer], answers)
        going_on: list[outcomes.Answer] = []
        for payload, answer in zip(payloads, answers, strict=False):
            placed = await self._effects.placed(step, payload)
            failed = answer if isinstance(answer, contract.Fail) else self._failed_before(step, placed)
            if failed is not None:
                await self._failed(step, bucket, placed, failed)
            elif not isinstance(answer, contract.Fail):
                going_on.append(answer)
        return going_on

    def _failed_before(self, step: PlanStep, payload: Payload) -> contract.Fail | None:
        return self._active.failures.get((step.key, payload.position))

    async def _streamed(self, step: PlanStep, bucket: Bucket) -> Stream:
        """A pure step over a stream, worked on as its payloads are asked for."""
        passing = self._passing(step)
        if step.compiled.sets_variables:
            # What follows sees the variables as the last payload sets them, as with a list.
            await _drain(self._mapped(step, bucket, bucket, passing))
            seen = Bucket(bucket.payloads, dict(bucket.variables))
            return self._mapped(step, bucket, seen, passing)
        return self._mapped(step, bucket, bucket, passing)

    def _mapped(
        self, step: PlanStep, bucket: Bucket, seen: Bucket, passing: Pass, route: str | None = None
    ) -> Stream:
        """The payloads of a stream after a pure step, or those that it hands to one of its routes."""

        async def source() -> AsyncIterator[Payload]:
            if not passing.came:
                passing.begin()
            context, number = self._context(step, seen), 0
            async for payload in streams.each(bucket.payloads):
                number += 1
                context.is_repeat = number <= passing.came
                if not context.is_repeat:
                    passing.came = number
                    passing.count_in([payload])
                answers = await self._answers(step, context, [payload])
                going_on = await self._settled(step, bucket, [payload], answers)
                made = [one for answer in going_on for one in outcomes.on_route(step, answer, route)]
                if number > passing.went.get(route, 0):
                    passing.went[route] = number
                    passing.count_out(made)
                for one in made:
                    yield one
                await self._effects.relieve()
            passing.end_stream(route)

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
            through = self._passing(step)
            return {key: self._mapped(step, bucket, bucket, through, key) for key in routes}
        with self._begin(step) as passing:
            passing.count_in(bucket.payloads)
            answers = await self._answers(step, self._context(step, bucket), bucket.payloads)
            going_on = await self._settled(step, bucket, bucket.payloads, answers)
        shares = outcomes.shares(step, going_on)
        for share in shares.values():
            passing.count_out(share)
        told = ", ".join(f"{len(payloads)} on route {key}" for key, payloads in shares.items())
        passing.end(told)
        return dict(shares)

    async def _leg(self, steps: Sequence[PlanStep], bucket: Bucket) -> None:
        for step in steps:
            await self.walk(step, Bucket(bucket.payloads, dict(bucket.variables)))

    async def _effect_all(self, step: PlanStep, bucket: Bucket, passing: Pass) -> Sequence[streams.Item]:
        """An effect for every payload of a bucket; what waits lets the others go first, unless it stands in line."""
        context, shelf, number = self._context(step, bucket), streams.Shelf(step.key), 0
        waits: list[Parked] = []
        async for payload in streams.each(bucket.payloads):
            number += 1
            passing.count_in([payload])
            is_last = self._is_last(step, bucket, number)
            try:
                made = await self._effect(step, context, bucket, payload, is_last=is_last)
            except Parked as parked:
                waits.append(parked)
                if parked.in_line:
                    break
                continue
            shelf.add(made)
            passing.count_out(made)
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
        """What an effect makes of a payload. Where it fails and that is caught, what it made before goes on."""
        payload = await self._effects.placed(step, payload)
        key, failed_before = (step.key, payload.position), self._failed_before(step, payload)
        if key in self._active.resolved:
            return self._active.recorded.get(key, NOTHING).payloads
        try:
            if failed_before is not None:
                raise StepFailed(step, failed_before, self._active.recorded.get(key, NOTHING).payloads)
            return await self._effects.work(step, context, payload, is_last=is_last)
        except Parked as parked:
            self._active.tally(step.key).parked = self._around.clock(), parked.what
            raise
        except StepFailed as failed:
            await self._failed(step, bucket, payload, failed.fail)
            return failed.made

    async def _effect_once(self, step: PlanStep, bucket: Bucket, passing: Pass) -> Payloads:
        """One effect for the whole bucket, whose payloads go on as they are, with what the answer's meta adds."""
        whole = await self._whole(step, bucket, passing)
        if whole is None or await self._is_resolved(step, whole):
            return ()
        made = await self._effect(step, self._context(step, bucket), bucket, whole, is_last=False)
        if not made:
            return ()
        added = made[0].meta if isinstance(made[0], Payload) else {}
        if isinstance(bucket.payloads, Stream):
            passing.payloads_out = passing.payloads_in
            handed_on = self._passing(step)
            handed_on.tally = passing.tally
            return Stream(lambda: _with_meta(bucket.payloads, added, handed_on))
        going_on = [replace(payload, meta={**payload.meta, **added}) for payload in bucket.payloads]
        passing.count_out(going_on)
        return going_on

    async def _whole(self, step: PlanStep, bucket: Bucket, passing: Pass) -> Payload | None:
        """The list of a bucket's bodies, None without any. Raises StepFailed for more than may be in memory."""
        first, bodies, size_bytes = None, [], 0
        async for payload in streams.each(bucket.payloads):
            first = first or payload
            passing.count_in([payload])
            size_bytes += payload.size_bytes
            if size_bytes > sizes.MAX_BYTES:
                why = "The payloads of the bucket are together larger than 64 MB; have the step work on each of them."
                raise StepFailed(step, contract.Fail(why, whole_run=True))
            bodies.append(payload.body)
        return first and replace(first, body=bodies, content_type=JSON_TYPE, size_bytes=size_bytes)

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

    def _passing(self, step: PlanStep) -> Pass:
        return Pass(self._around, self._active, step)

    def _begin(self, step: PlanStep) -> Pass:
        return self._passing(step).begin()


def _is_failure(answer: Judged) -> bool:
    return isinstance(answer, contract.Fail)


async def _with_meta(payloads: Payloads, added: Mapping[str, str], passing: Pass) -> AsyncIterator[Payload]:
    """The payloads of a stream with more meta, each counted once however often they are gone through."""
    number = 0
    async for payload in streams.each(payloads):
        number += 1
        going_on = replace(payload, meta={**payload.meta, **added})
        if number > passing.came:
            passing.came = number
            passing.count_out([going_on])
        yield going_on


async def _drain(payloads: Payloads) -> None:
    """Go through a stream for what its steps fail on or set."""
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
