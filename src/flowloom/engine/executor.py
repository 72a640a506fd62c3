"""One run, from its claim to its end: walks the plan, gives each step its bucket, acts on what it answers.

Effects are checkpointed before the run goes on; pure steps are recomputed after a crash.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog

from flowloom import errors
from flowloom.domain import run, sketch
from flowloom.domain.payload import Payload
from flowloom.engine import meters, outcomes, records
from flowloom.engine import plan as plans
from flowloom.engine.context import Active, Bucket, LoadConnection, Recorded, StepContext
from flowloom.engine.http import Client
from flowloom.engine.plan import Plan, Plans, PlanStep
from flowloom.engine.systems import Systems
from flowloom.steps import contract
from flowloom.store import blobs, broker, journal
from flowloom.store.connections import Connection
from flowloom.store.database import Database
from flowloom.store.queue import Claimed

log = structlog.get_logger(__name__)

BACKOFF_SECONDS = 1.0
MAX_BACKOFF_SECONDS = 60.0
DATABASE_PAUSE_SECONDS = 1.0
STOPPED_BY_ORDER: Final = run.Status.STOPPED, {"message": "The run was stopped."}


Result = tuple[run.Status, dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the executor works with. `sleep`, `random` and `clock` are arguments so that tests set them."""

    database: Database
    journal: journal.Journal
    broker: broker.Broker
    blobs: blobs.Blobs
    http: Client
    systems: Systems
    load_connection: LoadConnection
    clock: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]
    random: Callable[[], float]
    reach: Callable[[str], None]


class Executor:
    """Works on claimed runs; `execute` is one run and may be called many times at once."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._plans = Plans()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="flowloom-pure")
        # How many runs wait to try something again; they leave their places to others.
        self.pausing = 0
        self._stop_ordered: set[int] = set()
        self._walking: dict[int, asyncio.Task[Result]] = {}

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)

    def stop(self, run_id: int) -> None:
        """Stop a run that was claimed: wherever it waits, or before its first step. An end is still written."""
        self._stop_ordered.add(run_id)
        if run_id in self._walking:
            self._walking[run_id].cancel()

    async def execute(self, claimed: Claimed) -> None:
        """Run to the end and write it. Cancelled, it is left for the next start to take up."""
        active = Active(claimed.row, self._around.clock)
        self._publish(active, {"type": "run", "status": int(run.Status.STARTED)})
        try:
            status, error = await self._walked(active, claimed)
            await self._end(active, status, error)
        finally:
            self._stop_ordered.discard(active.row.id)

    async def _walked(self, active: Active, claimed: Claimed) -> Result:
        """What comes of the run. The walk is a task of its own, so that a stop cannot cut off the run's end."""
        run_id = active.row.id
        if claimed.row.stop_requested or run_id in self._stop_ordered:
            return STOPPED_BY_ORDER
        walk = self._walking[run_id] = asyncio.create_task(self._outcome(active, claimed))
        try:
            return await walk
        except asyncio.CancelledError:
            if run_id not in self._stop_ordered:
                raise
            return STOPPED_BY_ORDER
        finally:
            del self._walking[run_id]

    async def _outcome(self, active: Active, claimed: Claimed) -> Result:
        try:
            plan = await self._plan(active)
            bucket = await self._restore(active, claimed, plan)
            self._around.reach("run-claimed")
            await self._walk(active, plan.trigger, bucket)
        except outcomes.RunStopped as stopped:
            return run.Status.STOPPED, {"message": str(stopped)}
        except outcomes.StepFailed as failed:
            active.log(failed.step.key, "error", failed.why)
            where = {"step": failed.step.key, "name": failed.step.name}
            return run.Status.FAILURE, {"message": active.redact(failed.why), **where}
        except errors.FlowloomError as error:
            active.log(None, "error", error.message)
            return run.Status.FAILURE, {"message": error.message}
        except Exception as error:
            log.exception("run_failed_inside", run_id=active.row.id)
            active.log(None, "error", f"Internal error ({type(error).__name__}); the server's log has more.")
            return run.Status.FAILURE, {"message": f"Internal error ({type(error).__name__})."}
        return run.Status.SUCCESS, None

    async def _plan(self, active: Active) -> Plan:
        content_hash = active.row.content_hash
        plan = self._plans.get(content_hash)
        if plan is None:
            compiled = await self._keep(lambda: self._around.database.read(plans.load, content_hash))
            plan = self._plans.add(content_hash, compiled)
        return plan

    async def _restore(self, active: Active, claimed: Claimed, plan: Plan) -> Bucket:
        if records.is_long_to_restore(claimed):
            return await asyncio.to_thread(records.restore, active, claimed, plan, self._around.blobs)
        return records.restore(active, claimed, plan, self._around.blobs)

    async def _walk(self, active: Active, step: PlanStep, bucket: Bucket) -> None:
        """Work a step and all that follows it."""
        while bucket.payloads:
            if step.has_routes:
                await self._fork(active, step, bucket)
                return
            if step.is_enabled:
                bucket = await self._pass(active, step, bucket)
            if not step.next:
                return
            active.other_branches += 1
            for follower in step.next[:-1]:
                await self._walk(active, follower, Bucket(bucket.payloads, dict(bucket.variables)))
            active.other_branches -= 1
            step = step.next[-1]

    async def _pass(self, active: Active, step: PlanStep, bucket: Bucket) -> Bucket:
        """Work a step without routes; the bucket of what follows."""
        payloads = outcomes.payloads(step, await self._work(active, step, bucket))
        active.log(step.key, "info", f"{step.name}: {len(bucket.payloads)} in, {len(payloads)} out")
        return Bucket(payloads, bucket.variables)

    async def _fork(self, active: Active, step: PlanStep, bucket: Bucket) -> None:
        """Work a step with routes: its legs side by side, each to its end even when another one fails."""
        if not step.is_enabled:
            return
        shares = outcomes.shares(step, await self._work(active, step, bucket))
        active.log(step.key, "info", _routed_message(step, shares))
        active.other_branches += 1
        results = await asyncio.gather(
            *(self._leg(active, legs, shares[key], bucket.variables) for key, legs in step.legs.items()),
            return_exceptions=True,
        )
        active.other_branches -= 1
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            raise min(failures, key=lambda failure: isinstance(failure, outcomes.RunStopped))

    async def _leg(
        self,
        active: Active,
        steps: Sequence[PlanStep],
        payloads: Sequence[Payload],
        variables: dict[str, Any],
    ) -> None:
        for step in steps:
            await self._walk(active, step, Bucket(payloads, dict(variables)))

    async def _work(self, active: Active, step: PlanStep, bucket: Bucket) -> Sequence[outcomes.Answer]:
        """What one step answers to its whole bucket, counted, and told to those who watch."""
        tally, began = active.tally(step.key), time.perf_counter()
        tally.payloads_in += len(bucket.payloads)
        self._publish(active, {"type": "step", "step": step.key, "state": "started"})
        context = self._context(active, step, bucket)
        work = self._effects if step.compiled.effect else self._pure_answers
        try:
            answers = await work(active, step, context, bucket.payloads)
        finally:
            tally.seconds += time.perf_counter() - began
        count = outcomes.count(answers)
        tally.payloads_out += count
        active.metrics["operations", "count"] += len(bucket.payloads)
        self._publish(active, {"type": "step", "step": step.key, "state": "finished", "payloads": count})
        return answers

    def _context(self, active: Active, step: PlanStep, bucket: Bucket) -> StepContext:
        around = self._around
        return StepContext(active, step, bucket.variables, around.http, self._load_connection, around.systems)

    async def _load_connection(self, company_id: int, id: int) -> Connection:
        connection: Connection = await self._keep(lambda: self._around.load_connection(company_id, id))
        return connection

    async def _pure_answers(
        self, active: Active, step: PlanStep, context: StepContext, payloads: Sequence[Payload]
    ) -> Sequence[outcomes.Answer]:
        active.tally(step.key).attempts += len(payloads)
        if records.is_long_to_work(payloads, context.variables):
            loop = asyncio.get_running_loop()
            answers, seconds = await loop.run_in_executor(
                self._thread, outcomes.compute, step, context, payloads
            )
        else:
            answers, seconds = outcomes.compute(step, context, payloads)
        active.metrics["cpu", "microseconds"] += round(seconds * 1e6)
        return answers

    async def _effects(
        self, active: Active, step: PlanStep, context: StepContext, payloads: Sequence[Payload]
    ) -> Sequence[outcomes.Answer]:
        made: list[outcomes.Answer] = []
        for number, payload in enumerate(payloads, 1):
            is_last = number == len(payloads) and not step.next and not active.other_branches
            done = await self._effect(active, step, context, payload, is_last=is_last)
            made.append(contract.Done(done))
        return made

    async def _effect(
        self, active: Active, step: PlanStep, context: StepContext, payload: Payload, *, is_last: bool
    ) -> Sequence[Payload]:
        """One effect for one payload, from where its checkpoints leave off, page by page."""
        before = active.recorded.get((step.key, payload.position), Recorded())
        made, rows = list(before.payloads), before.rows
        if rows and before.cursor is None:
            return made
        context.cursor, context.position = before.cursor, payload.position
        while True:
            done = await self._attempts(active, step, context, payload)
            self._around.reach("effect-done")
            new = await self._checkpoint(active, step, context, payload, done, rows)
            active.payloads += new
            rows += len(new)
            made.extend(done.payloads)
            context.cursor = done.cursor
            # The very last effect of a run is recorded in the transaction that ends the run.
            if done.cursor is not None or not is_last:
                await self._flush(active)
            if done.cursor is None:
                return made

    async def _checkpoint(
        self,
        active: Active,
        step: PlanStep,
        context: StepContext,
        payload: Payload,
        done: contract.Done,
        rows_before: int,
    ) -> list[dict[str, Any]]:
        """The rows that record an answer, packed. What is large is worked on aside."""
        if records.is_long_to_work(done.payloads, context.variables):
            rows = await asyncio.to_thread(records.checkpoint, active, step, payload, done, rows_before)
        else:
            rows = records.checkpoint(active, step, payload, done, rows_before)
        if records.is_large(rows):
            return await asyncio.to_thread(records.pack, rows, self._around.blobs)
        return records.pack(rows, self._around.blobs)

    async def _attempts(
        self, active: Active, step: PlanStep, context: StepContext, payload: Payload
    ) -> contract.Done:
        """Call an effect until it is done, with backoff between. Raises StepFailed or RunStopped."""
        attempt = 1
        while isinstance(outcome := await self._call(active, step, context, payload), contract.Retry):
            if attempt > step.compiled.retries:
                raise outcomes.StepFailed(step, f"{outcome.why} Gave up after {attempt} attempts.")
            pause = self._pause_seconds(outcome, attempt)
            again = f"{outcome.why} Trying again in {pause:.1f} s (attempt {attempt})."
            active.log(step.key, "warning", again)
            await self._flush(active)
            await self._pause(pause)
            attempt += 1
        return outcomes.done(step, outcome)

    async def _call(
        self, active: Active, step: PlanStep, context: StepContext, payload: Payload
    ) -> contract.Outcome:
        active.tally(step.key).attempts += 1
        try:
            async with asyncio.timeout(step.compiled.timeout_seconds):
                outcome = step.compiled.run(context, payload)
                return await outcome if inspect.isawaitable(outcome) else outcome
        except TimeoutError:
            return contract.Retry(f"No answer within {step.compiled.timeout_seconds:g} seconds.")
        except errors.FlowloomError as error:
            return contract.Fail(error.message)

    async def _pause(self, seconds: float) -> None:
        self.pausing += 1
        self._around.broker.wake()
        try:
            await self._around.sleep(seconds)
        finally:
            self.pausing -= 1

    def _pause_seconds(self, outcome: contract.Retry, attempt: int) -> float:
        if outcome.after_seconds is not None:
            return outcome.after_seconds
        backoff = min(BACKOFF_SECONDS * 2.0 ** (attempt - 1), MAX_BACKOFF_SECONDS)
        return backoff * (0.5 + self._around.random())

    async def _flush(self, active: Active) -> None:
        payloads, logs = active.take_unwritten()
        await self._keep(lambda: self._around.journal.record(payloads, logs))
        self._around.reach("effect-recorded")

    async def _end(self, active: Active, status: run.Status, error: dict[str, Any] | None) -> None:
        self._around.reach("run-before-end")
        at = self._around.clock()
        self._count(active, at)
        try:
            await self._finish(active, at, status, error)
        except Exception as fault:
            # What could not be written was taken, so that the end is all that is left to write.
            log.exception("run_not_recorded", run_id=active.row.id)
            status, error = run.Status.FAILURE, {"message": f"Internal error ({type(fault).__name__})."}
            await self._finish(active, at, status, error)
        meters.RUNS_ENDED.labels(status.name.lower()).inc()
        self._publish(active, {"type": "run", "status": int(status)})

    def _count(self, active: Active, at: datetime) -> None:
        duration_ms = (at - active.row.started_at).total_seconds() * 1000
        active.metrics["duration", sketch.key(duration_ms)] += 1
        active.metrics["duration", "total_ms"] += round(duration_ms)
        active.metrics["steps", "count"] += len(active.tallies)

    async def _finish(
        self, active: Active, at: datetime, status: run.Status, error: dict[str, Any] | None
    ) -> None:
        end = journal.End(
            run_id=active.row.id,
            fence=active.row.fence,
            flow_id=active.row.flow_id,
            version_id=active.row.flow_version_id,
            iteration=active.row.iteration,
            status=status,
            at=at,
            has_warnings=active.has_warnings,
            summary=records.summary(active, error),
            metrics=active.metrics,
        )
        payloads, logs = active.take_unwritten()
        await self._keep(lambda: self._around.journal.finish(end, payloads, logs))

    async def _keep(self, write: Callable[[], Awaitable[Any]]) -> Any:
        """Ask the database until it answers: a run waits for it, and is not lost."""
        while True:
            try:
                return await write()
            except errors.Busy as error:
                log.warning("database_busy", reason=error.message)
                await self._around.sleep(DATABASE_PAUSE_SECONDS)

    def _publish(self, active: Active, event: dict[str, Any]) -> None:
        if self._around.broker.is_watched(active.row.id):
            self._around.broker.publish(active.row.id, event)


def _routed_message(step: PlanStep, shares: dict[str, list[Payload]]) -> str:
    return f"{step.name}: " + ", ".join(f"{len(payloads)} on route {key}" for key, payloads in shares.items())
