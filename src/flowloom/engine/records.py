"""What a run leaves behind and finds again: checkpoint rows, its summary, and the bucket it starts with."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

import msgspec
from sqlalchemy import Row

from flowloom.domain import bulk, formats, timestamp
from flowloom.domain.payload import Payload
from flowloom.engine import past
from flowloom.engine.active import NOTHING, Active, Recorded, StepTally
from flowloom.engine.plan import Plan, PlanStep
from flowloom.engine.streams import Bucket, Item, Ref
from flowloom.steps import aside, contract
from flowloom.store import blobs
from flowloom.store.recall import Claimed

P = ParamSpec("P")
T = TypeVar("T")
# More records than this are worked on in a side thread, so that no webhook waits for them.
INLINE_RECORDS = 2000


def is_long_to_work(payloads: Sequence[Payload], variables: Mapping[str, object]) -> bool:
    """Whether these are too many records or bytes to be worked on in the event loop.

    What a step makes may hold the variables too, so they count.
    """
    size_bytes = sum([payload.size_bytes for payload in payloads])
    if variables:
        size_bytes += aside.about_bytes(variables)
    if size_bytes <= INLINE_RECORDS:
        return False  # a record takes more than a byte
    return size_bytes > bulk.LARGE_BYTES or (
        sum([_records_in(payload.body) for payload in payloads]) > INLINE_RECORDS
    )


def _records_in(body: object) -> int:
    """The items of a list, or of an object's longest one; else one."""
    if isinstance(body, list):
        return len(body)
    if isinstance(body, dict):
        return max((len(value) for value in body.values() if isinstance(value, list)), default=1)
    return 1


def restore(active: Active, claimed: Claimed, plan: Plan, store: blobs.Blobs) -> Bucket:
    """The bucket that the first step gets, after putting what was recorded before into the run."""
    start = Payload()
    recorded: dict[tuple[str, str], Recorded] = {}
    for row in claimed.recorded:
        if row.kind == "start":
            start = payload(row, store)
        elif row.kind in ("effect", "wait"):
            _add(recorded, row, store)
        elif row.kind == "resolved":
            active.resolved.add((row.step_key, row.position))
            active.past.add(row.step_key, row.position, row.state["digest"])
    if recorded or claimed.failures or claimed.tried_again or claimed.row.summary:
        _remember(active, claimed, plan, recorded)
    _count(active, claimed.recorded, plan)
    return Bucket([start], {**plan.variables, **(claimed.row.variables or {})})


def _remember(
    active: Active, claimed: Claimed, plan: Plan, recorded: Mapping[tuple[str, str], Recorded]
) -> None:
    """Put what came of a run's steps before into it."""
    active.recorded = recorded
    for (step_key, position), one in recorded.items():
        active.past.add(step_key, position, one.digest)
    for row in (*claimed.failures, *claimed.tried_again):
        active.past.add(row.step_key, row.position, row.digest)
    active.failures = {
        (row.step_key, row.position): contract.Fail(row.message, row.error_class) for row in claimed.failures
    }
    active.tallies = _tallies(claimed, plan, active.clock())


def _tallies(claimed: Claimed, plan: Plan, now: datetime) -> dict[str, StepTally]:
    """What the steps did before the run waited outside of memory, but for what is counted again on the way."""
    found: dict[str, StepTally] = {}
    for step in (claimed.row.summary or {}).get("steps", ()):
        is_effect = plan.require(step["key"]).compiled.effect
        tally = found[step["key"]] = StepTally(
            failed=step["failed"],
            attempts=step["attempts"] if is_effect else 0,
            seconds=step["duration_ms"] / 1000,
            cpu_seconds=step["cpu_ms"] / 1000,
            began_at=datetime.fromisoformat(step["began_at"]) if "began_at" in step else None,
            lines_before=step.get("lines", 0),
            waited={what: waited_ms / 1000 for what, waited_ms in step.get("waited_ms", {}).items()},
        )
        if "waits" in step:
            _add_wait(tally, step, claimed, now)
    _add_known(found, claimed, plan)
    return found


def _add_known(tallies: dict[str, StepTally], claimed: Claimed, plan: Plan) -> None:
    """Count what was recorded after the summary was, before a crash: each answer and failure had an attempt."""
    answered = {
        (row.step_key, row.state["of"])
        for row in claimed.recorded
        if row.kind == "effect" and row.created_at >= claimed.row.queued_at
    }
    failed = Counter(row.step_key for row in claimed.failures)
    attempts = Counter(step_key for step_key, _ in answered) + failed
    for step_key, least in attempts.items():
        tally = tallies.setdefault(step_key, StepTally())
        tally.failed = failed[step_key]
        if plan.require(step_key).compiled.effect:
            tally.attempts = max(tally.attempts, least)


def _add_wait(tally: StepTally, step: Mapping[str, Any], claimed: Claimed, now: datetime) -> None:
    """Count a wait outside of memory. It may be over since long, and its step recorded, before a crash."""
    since = datetime.fromisoformat(step["waits"]["since"])
    recorded = [
        row.created_at for row in claimed.recorded if row.step_key == step["key"] and row.kind == "effect"
    ]
    until = min((at for at in recorded if at > since), default=now)
    seconds = max((until - since).total_seconds(), 0.0)
    tally.seconds += seconds
    if (what := step["waits"].get("for")) is not None:
        tally.wait(what, seconds)


def _count(active: Active, rows: Sequence[Row[Any]], plan: Plan) -> None:
    """Count what was recorded before a restart: metrics come with the end. What a retry took over is older."""
    for row in rows:
        if row.created_at < active.row.queued_at or row.content_type is None:
            continue
        if row.kind == "start":
            active.metrics["payloads", "received"] += 1
        elif row.kind == "effect":
            _count_payload(active, row.bytes, is_sent=plan.require(row.step_key).compiled.sends)


def _count_payload(active: Active, size_bytes: int, *, is_sent: bool) -> None:
    active.metrics["payloads", "count"] += 1
    active.metrics["payloads", "sent" if is_sent else "received"] += 1
    active.metrics["payloads", "bytes"] += size_bytes


def _add(recorded: dict[tuple[str, str], Recorded], row: Row[Any], store: blobs.Blobs) -> None:
    where = row.step_key, row.state["of"]
    before = recorded.get(where, NOTHING)
    before = msgspec.structs.replace(before, digest=row.state.get("digest") or before.digest)
    if row.kind == "wait":
        recorded[where] = msgspec.structs.replace(before, waits=before.waits + 1, wait=row.state)
        return
    made = [_item(row, store)] if row.content_type is not None else []
    recorded[where] = msgspec.structs.replace(
        before, payloads=[*before.payloads, *made], cursor=row.state.get("cursor"), rows=before.rows + 1
    )


def _item(row: Row[Any], store: blobs.Blobs) -> Item:
    """A recorded payload; one whose body was not read with its row stays where it is."""
    is_here = row.body is not None or row.blob is not None or not row.bytes
    return payload(row, store) if is_here else Ref(row.step_key, row.position, row.bytes)


def payload(row: Row[Any], store: blobs.Blobs) -> Payload:
    """The payload of a row. Raises errors.Missing when retention has removed its body."""
    raw = store.unpack(row.encoding, row.body, row.blob)
    body = blobs.decode(raw, row.content_type)
    return Payload(body, row.content_type, row.meta or {}, row.position, len(raw))


def wait(
    active: Active, step: PlanStep, payload: Payload, before: Recorded, state: Mapping[str, Any]
) -> dict[str, Any]:
    """The row that records that an effect waits; see Recorded."""
    position = f"{payload.position}!w{before.waits}"
    state = {**_of(payload, before), **state}
    return {**_row(active, step, None, position, state), "kind": "wait"}


def _of(payload: Payload, before: Recorded) -> dict[str, Any]:
    """What a row says of the payload that it answers."""
    return {"of": payload.position, **({"digest": before.digest} if before.digest else {})}


def dead_letter(
    active: Active, step: PlanStep, payload: Payload, variables: Mapping[str, Any], fail: contract.Fail
) -> dict[str, Any]:
    """The row of a payload that failed for good, as it was given to the step; its body raw."""
    digest = past.digest(payload) if step.compiled.is_matched_by_content else None
    payload = formats.settled(payload)
    return {
        "company_id": active.row.company_id,
        "flow_id": active.row.flow_id,
        "flow_version_id": active.row.flow_version_id,
        "iteration": active.row.iteration,
        "run_id": active.row.id,
        "step_key": step.key,
        "step_name": step.name,
        "position": payload.position,
        "digest": digest,
        "error_class": fail.error_class,
        "message": active.redact(fail.why),
        "is_caught": step.guard is not None and not fail.whole_run,
        "content_type": payload.content_type[: past.MAX_CONTENT_TYPE],
        "meta": dict(payload.meta),
        "variables": dict(variables),
        "raw": blobs.encode(payload),
        "state": "open",
        "created_at": active.clock(),
    }


def checkpoint(
    active: Active,
    step: PlanStep,
    payload: Payload,
    done: contract.Done,
    made: Sequence[Payload],
    before: Recorded,
) -> list[dict[str, Any]]:
    """The rows that record one answer of an effect; one without payloads is recorded by a row without a body.

    `before` is what its earlier answers left. Each row's `state` is {of: the position of the payload it answers,
    digest?: what that holds, cursor?: where the next call goes on}.
    """
    state = _of(payload, before)
    if done.cursor is not None:
        state["cursor"] = done.cursor
    if not made:
        return [_row(active, step, None, f"{payload.position}!{before.rows}", state)]
    return [_row(active, step, one, one.position, state) for one in made]


def _row(
    active: Active, step: PlanStep, payload: Payload | None, position: str, state: Mapping[str, Any]
) -> dict[str, Any]:
    raw = blobs.encode(payload) if payload is not None else b""
    if payload is not None:
        _count_payload(active, len(raw), is_sent=step.compiled.sends)
    return {
        "run_id": active.row.id,
        "company_id": active.row.company_id,
        "step_key": step.key,
        "position": position,
        "kind": "effect",
        "state": dict(state),
        "content_type": payload.content_type[: past.MAX_CONTENT_TYPE] if payload is not None else None,
        "meta": dict(payload.meta) if payload is not None else None,
        "raw": raw,
        "created_at": active.clock(),
    }


async def away(size_bytes: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `work` answers, that packs or unpacks so much: in a thread where a body may be elsewhere."""
    if size_bytes > blobs.INLINE_BYTES:
        return await asyncio.to_thread(work, *args, **kwargs)
    return work(*args, **kwargs)


def raw_bytes(rows: Sequence[Mapping[str, Any]]) -> int:
    return sum(len(row["raw"]) for row in rows)


def recorded_bytes(claimed: Claimed) -> int:
    return sum(row.bytes for row in claimed.recorded)


def pack(rows: Sequence[dict[str, Any]], store: blobs.Blobs) -> list[dict[str, Any]]:
    """The rows with their raw bodies compressed, large ones in files."""
    return [_packed(row, store) for row in rows]


def _packed(row: dict[str, Any], store: blobs.Blobs) -> dict[str, Any]:
    packed = store.pack(row["raw"])
    return {
        **{name: value for name, value in row.items() if name != "raw"},
        "bytes": packed.size_bytes,
        "encoding": packed.encoding,
        "body": packed.body,
        "blob": packed.blob,
    }


def summary(active: Active, error: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a finished run says of itself: its steps in the order they began, and why it failed.

    One that ended before it was taken up again says what it said when it began to wait.
    """
    steps = [_step_summary(key, tally) for key, tally in active.tallies.items()]
    steps = steps or (active.row.summary or {}).get("steps", [])
    return {"steps": steps, **({"error": dict(error)} if error else {})}


def counted(active: Active) -> list[tuple[str, str, int]]:
    """The metrics of a run so far: [type, key, amount] each."""
    return [(type_, key, amount) for (type_, key), amount in active.metrics.items()]


def _step_summary(key: str, tally: StepTally) -> dict[str, Any]:
    return {
        "key": key,
        "payloads_in": tally.payloads_in,
        "payloads_out": tally.payloads_out,
        "bytes_in": tally.bytes_in,
        "bytes_out": tally.bytes_out,
        "failed": tally.failed,
        "attempts": tally.attempts,
        "duration_ms": round(tally.seconds * 1000, 3),
        "cpu_ms": round(tally.cpu_seconds * 1000, 3),
        "lines": max(tally.lines, tally.lines_before),
        **({"began_at": timestamp.written(tally.began_at)} if tally.began_at else {}),
        **(_waits(tally) if tally.waited or tally.parked else {}),
    }


def _waits(tally: StepTally) -> dict[str, Any]:
    """{waited_ms?: by what it waited for, waits?: {since, for?}}, the latter while it waits outside of memory."""
    waits: dict[str, Any] = {}
    if tally.waited:
        waits["waited_ms"] = {what: round(seconds * 1000, 3) for what, seconds in tally.waited.items()}
    if tally.parked:
        since, what = tally.parked
        waits["waits"] = {"since": timestamp.written(since), **({"for": what} if what else {})}
    return waits
