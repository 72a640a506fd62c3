"""One run, from its claim to its end, or to where it waits outside of memory.

Effects are checkpointed before the run goes on; pure steps are recomputed after a crash.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import structlog

from flowloom import errors
from flowloom.domain.run import Status
from flowloom.engine import connections, meters, outcomes, records, tracing
from flowloom.engine import plan as plans
from flowloom.engine.active import Active
from flowloom.engine.effects import Effects, Pauses
from flowloom.engine.lookups import Lookups
from flowloom.engine.plan import Plan, Plans
from flowloom.engine.side import SideThreads
from flowloom.engine.streams import Bucket
from flowloom.engine.surroundings import Surroundings
from flowloom.engine.walk import Walk
from flowloom.store import journal, recall, stops
from flowloom.store.recall import Claimed

log = structlog.get_logger(__name__)


class Ended(msgspec.Struct, frozen=True):
    """What came of a run, and why it failed."""

    status: Status
    error: dict[str, Any] | None = None


STOPPED_BY_ORDER: Final = Ended(Status.STOPPED, {"message": "The run was stopped."})
Result = Ended | outcomes.Parked


class Executor:
    """Works on claimed runs; `execute` is one run and may be called many times at once."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._plans = Plans()
        self._lookups = Lookups(around)
        self._side = SideThreads("flowloom-pure")
        self._pauses = Pauses()
        self._stop_ordered: set[int] = set()
        self._walking: dict[int, asyncio.Task[Result]] = {}

    @property
    def pausing(self) -> int:
        """How many runs wait in memory to try something again, or for their turn under a rate limit."""
        return self._pauses.count + self._around.calls.waiting

    def close(self) -> None:
        self._side.close()

    def stop(self, run_id: int) -> None:
        """Stop a run that was claimed: wherever it waits, or before its first step. An end is still written."""
        self._stop_ordered.add(run_id)
        if run_id in self._walking:
            self._walking[run_id].cancel()

    async def execute(self, claimed: Claimed) -> None:
        """Run to the end, or to where it waits, and write it. Cancelled, it is left for the next start to take up."""
        active = Active(claimed.row, self._around.clock)
        self._around.publish(active.row.id, "run", status=int(Status.STARTED))
        try:
            active.trace = await self._trace(active)
            result = await self._walked(active, claimed)
            ended = await self._park(active, result) if isinstance(result, outcomes.Parked) else result
            if ended is not None:
                await self._end(active, ended)
        except journal.Superseded:
            log.warning("run_taken_over", run_id=active.row.id)
        finally:
            active.trace.leave("interrupted")
            self._stop_ordered.discard(active.row.id)

    async def _trace(self, active: Active) -> tracing.RunTrace:
        """What is told of the run; of a retry also which run it repeats, as long as that is kept."""
        around, row, origin = self._around, active.row, None
        if around.tracing.wants_origin and row.retry_flow_run_id is not None:
            read = around.database.read
            with contextlib.suppress(errors.Missing):
                origin = await around.keep(lambda: read(recall.run, row.retry_flow_run_id))
        return around.tracing.begin(row, origin, around.clock, active.redact)

    async def _walked(self, active: Active, claimed: Claimed) -> Result:
        """What comes of the run. The walk is a task of its own, so that a stop cannot cut off the run's end."""
        run_id = active.row.id
        if claimed.row.stop_requested or run_id in self._stop_ordered:
            return STOPPED_BY_ORDER
        if (earlier := self._walking.get(run_id)) is not None:
            earlier.cancel()  # this process was silent for so long that it lost the run, and claimed it anew
        walk = self._walking[run_id] = asyncio.create_task(self._outcome(active, claimed))
        try:
            return await walk
        except asyncio.CancelledError:
            if run_id not in self._stop_ordered:
                raise
            return STOPPED_BY_ORDER
        finally:
            if self._walking.get(run_id) is walk:
                del self._walking[run_id]

    async def _outcome(self, active: Active, claimed: Claimed) -> Result:
        try:
            await self._work_in_time(active, claimed)
        except outcomes.Parked as parked:
            return parked
        except outcomes.RunStopped as stopped:
            return Ended(Status.STOPPED, {"message": str(stopped)})
        except outcomes.StepFailed as failed:
            where = {"step": failed.step.key, "name": failed.step.name, "class": failed.fail.error_class}
            return Ended(Status.FAILURE, {"message": active.redact(failed.fail.why), **where})
        except journal.Superseded:
            raise
        except TimeoutError:
            return _failed(active, f"The run took longer than {active.row.timeout_seconds} seconds.")
        except errors.FlowloomError as error:
            return _failed(active, error.message)
        except Exception as error:
            log.exception("run_failed_inside", run_id=active.row.id)
            active.log(None, "error", f"Internal error ({type(error).__name__}); the server's log has more.")
            return Ended(Status.FAILURE, {"message": f"Internal error ({type(error).__name__})."})
        return Ended(max(active.caught, default=Status.SUCCESS, key=_severity))

    async def _work_in_time(self, active: Active, claimed: Claimed) -> None:
        """Raises TimeoutError when the time that its flow gives a run is over."""
        seconds_left = self._seconds_left(active)
        if seconds_left is None:
            await self._work(active, claimed)
            return
        if seconds_left == 0:
            raise TimeoutError
        async with asyncio.timeout(seconds_left):
            await self._work(active, claimed)

    def _seconds_left(self, active: Active) -> float | None:
        """Of the time that its flow gives a run, waits included; None is any."""
        if active.row.timeout_seconds is None:
            return None
        until: datetime = active.row.started_at + timedelta(seconds=active.row.timeout_seconds)
        return max(0.0, (until - self._around.clock()).total_seconds())

    async def _work(self, active: Active, claimed: Claimed) -> None:
        plan = await self._plan(active)
        active.may_hold_claims = plan.claims_keys or active.row.retry_flow_run_id is not None
        active.lookups = await self._lookups.load(active.row.company_id, plan.lookups)
        first = plan.require(active.row.start_step)
        await self._learn_secrets(active, plan)
        bucket = await self._restore(active, claimed, plan)
        self._around.reach("run-claimed")
        effects = Effects(self._around, active, self._pauses)
        await Walk(self._around, active, effects, self._side).walk(first, bucket)

    async def _plan(self, active: Active) -> Plan:
        content_hash = active.row.content_hash
        plan = self._plans.get(content_hash)
        if plan is None:
            compiled = await self._around.keep(lambda: self._around.database.read(plans.load, content_hash))
            plan = self._plans.add(content_hash, compiled)
        return plan

    async def _learn_secrets(self, active: Active, plan: Plan) -> None:
        """Know what is to be left out before anything is kept: a server may tell what an earlier run has sent it."""
        if plan.has_secrets:
            await self._load_secrets(active)
        load = self._around.load_connection
        for id in plan.connections:
            # The step that cannot use its connection says so itself.
            with contextlib.suppress(errors.Missing, errors.Invalid):
                found = await self._around.keep(functools.partial(load, active.row.company_id, id))
                active.secrets |= connections.secret_words(found)

    async def _load_secrets(self, active: Active) -> None:
        """Raises errors.Invalid when one cannot be opened: then no step may go out without it."""
        row, load = active.row, self._around.load_secrets
        found = await self._around.keep(lambda: load(row.company_id, row.content_hash))
        active.secret_variables = found
        active.secrets.update(found.values())

    async def _restore(self, active: Active, claimed: Claimed, plan: Plan) -> Bucket:
        arguments = active, claimed, plan, self._around.blobs

        async def restore() -> Bucket:
            return await records.away(records.recorded_bytes(claimed), records.restore, *arguments)

        bucket: Bucket = await self._around.keep(restore)
        return bucket

    async def _park(self, active: Active, parked: outcomes.Parked) -> Ended | None:
        """Let the run wait outside of memory; its end instead when its time runs out or it was stopped meanwhile."""
        if active.row.id in self._stop_ordered:
            return STOPPED_BY_ORDER
        self._around.reach("run-before-park")
        resume_at = min(parked.until, self._deadline(active) or parked.until)
        park = journal.Park(
            run_id=active.row.id,
            fence=active.row.fence,
            at=self._around.clock(),
            resume_at=resume_at,
            for_child=parked.for_child,
            has_warnings=active.has_warnings,
            summary={**records.summary(active, None), "counted": records.counted(active)},
        )
        lines = active.take_unwritten()
        await self._around.keep(lambda: self._around.journal.park(park, lines))
        self._around.broker.wake_in((resume_at - self._around.clock()).total_seconds())
        active.trace.leave("waiting")
        self._around.reach("run-parked")
        return None

    def _deadline(self, active: Active) -> datetime | None:
        seconds = self._seconds_left(active)
        return None if seconds is None else self._around.clock() + timedelta(seconds=seconds)

    async def _end(self, active: Active, ended: Ended) -> None:
        self._around.reach("run-before-end")
        at = self._around.clock()
        active.metrics.update(journal.measured(active.row, at, len(active.tallies)))
        try:
            await self._finish(active, at, ended)
        except journal.Superseded:
            raise
        except Exception as fault:
            # What could not be written was taken, so that the end is all that is left to write.
            log.exception("run_not_recorded", run_id=active.row.id)
            ended = Ended(Status.FAILURE, {"message": f"Internal error ({type(fault).__name__})."})
            await self._finish(active, at, ended)
        self._around.reach("run-ended")
        meters.RUNS_ENDED.labels(ended.status.name.lower()).inc()
        self._around.publish(active.row.id, "run", status=int(ended.status))

    async def _finish(self, active: Active, at: datetime, ended: Ended) -> None:
        end = journal.End(
            run_id=active.row.id,
            fence=active.row.fence,
            flow_id=active.row.flow_id,
            version_id=active.row.flow_version_id,
            iteration=active.row.iteration,
            status=ended.status,
            at=at,
            has_warnings=active.has_warnings,
            summary=records.summary(active, ended.error),
            metrics=active.metrics,
            may_hold_claims=active.may_hold_claims,
            has_moved=active.past.has_moved,
        )
        lines, stopped = active.take_unwritten(), stops.Stopped()
        if ended.status in (Status.FAILURE, Status.STOPPED):
            # Nobody waits any more for what it may still have waited for.
            lines.writes.append(lambda connection: stops.stop_children(connection, active.row, at, stopped))
        if await self._around.keep(lambda: self._around.journal.finish(end, lines)):
            active.trace.end(ended.status)
        self._tell_stopped(stopped)

    def _tell_stopped(self, stopped: stops.Stopped) -> None:
        for id in stopped.ended:
            self._around.publish(id, "run", status=int(Status.STOPPED))
        for id in stopped.ordered:
            self._around.broker.order_stop(id)


def _failed(active: Active, why: str) -> Ended:
    active.log(None, "error", why)
    return Ended(Status.FAILURE, {"message": active.redact(why)})


def _severity(status: Status) -> int:
    """Of what several try-catch steps want the run to end with, failure wins."""
    return [Status.SUCCESS, Status.PARTIAL, Status.FAILURE].index(status)
