"""What a run leaves behind and finds again: checkpoint rows, its summary, and the bucket it starts with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from flowloom.domain.payload import Payload
from flowloom.engine.context import Active, Bucket, Recorded
from flowloom.engine.plan import Plan, PlanStep
from flowloom.steps import aside, contract
from flowloom.store import blobs
from flowloom.store.claims import Claimed

MAX_CONTENT_TYPE = 255
# More records than this are worked on in a side thread, so that no webhook waits for them.
INLINE_RECORDS = 2000


def is_long_to_work(payloads: Sequence[Payload], variables: Mapping[str, object]) -> bool:
    """Whether these are too many records or bytes to be worked on in the event loop.

    What a step makes may hold the variables too, so they count.
    """
    size_bytes = sum([payload.size_bytes for payload in payloads]) + aside.about_bytes(variables)
    return size_bytes > blobs.LARGE_BYTES or (
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
    """The bucket that the trigger gets, after putting what was recorded before into the run."""
    start = Payload()
    recorded: dict[tuple[str, str], Recorded] = {}
    for row in claimed.recorded:
        if row.kind == "start":
            start = _payload(row, store)
        else:
            _add(recorded, row, store)
    active.recorded = recorded
    _count(active, claimed.recorded)
    return Bucket([start], {**plan.variables, **(claimed.row.variables or {})})


def _count(active: Active, rows: Sequence[Row[Any]]) -> None:
    """Count what was recorded before a restart: metrics come with the end. What a retry took over is older."""
    for row in rows:
        if row.created_at < active.row.queued_at or row.content_type is None:
            continue
        if row.kind == "start":
            active.metrics["payloads", "received"] += 1
        else:
            active.metrics["payloads", "count"] += 1
            active.metrics["payloads", "bytes"] += row.bytes


def _add(recorded: dict[tuple[str, str], Recorded], row: Row[Any], store: blobs.Blobs) -> None:
    where = row.step_key, row.state["of"]
    before = recorded.get(where, Recorded())
    made = [_payload(row, store)] if row.content_type is not None else []
    recorded[where] = Recorded([*before.payloads, *made], row.state.get("cursor"), before.rows + 1)


def _payload(row: Row[Any], store: blobs.Blobs) -> Payload:
    raw = store.unpack(row.encoding, row.body, row.blob)
    body = blobs.decode(raw, row.content_type)
    return Payload(body, row.content_type, row.meta or {}, row.position, len(raw))


def checkpoint(
    active: Active, step: PlanStep, payload: Payload, done: contract.Done, rows_before: int
) -> list[dict[str, Any]]:
    """The rows that record one answer of an effect; one without payloads is recorded by a row without a body.

    `rows_before` counts those of its earlier answers. Each row's `state` is {of: the position of the payload
    it answers, cursor?: where the next call goes on}.
    """
    state: dict[str, Any] = {"of": payload.position}
    if done.cursor is not None:
        state["cursor"] = done.cursor
    if not done.payloads:
        return [_row(active, step, None, f"{payload.position}!{rows_before}", state)]
    return [_row(active, step, made, made.position, state) for made in done.payloads]


def _row(
    active: Active, step: PlanStep, payload: Payload | None, position: str, state: Mapping[str, Any]
) -> dict[str, Any]:
    raw = blobs.encode(payload) if payload is not None else b""
    active.metrics["payloads", "count"] += payload is not None
    active.metrics["payloads", "sent" if step.compiled.sends else "received"] += payload is not None
    active.metrics["payloads", "bytes"] += len(raw)
    return {
        "run_id": active.row.id,
        "company_id": active.row.company_id,
        "step_key": step.key,
        "position": position,
        "kind": "effect",
        "state": dict(state),
        "content_type": payload.content_type[:MAX_CONTENT_TYPE] if payload is not None else None,
        "meta": dict(payload.meta) if payload is not None else None,
        "raw": raw,
        "created_at": active.clock(),
    }


def is_large(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether packing these takes long enough to be done aside."""
    return sum(len(row["raw"]) for row in rows) > blobs.LARGE_BYTES


def is_long_to_restore(claimed: Claimed) -> bool:
    """Whether unpacking what was recorded takes long enough to be done aside."""
    size_bytes: int = sum(row.bytes for row in claimed.recorded)
    return size_bytes > blobs.LARGE_BYTES


def pack(rows: Sequence[dict[str, Any]], store: blobs.Blobs) -> list[dict[str, Any]]:
    """The rows with their raw bodies compressed, large ones in files."""
    return [_packed(row, store) for row in rows]


def _packed(row: dict[str, Any], store: blobs.Blobs) -> dict[str, Any]:
    packed = store.pack(row.pop("raw"))
    return {
        **row,
        "bytes": packed.size_bytes,
        "encoding": packed.encoding,
        "body": packed.body,
        "blob": packed.blob,
    }


def summary(active: Active, error: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a finished run says of itself: its steps in the order they began, and why it failed."""
    steps = [
        {
            "key": key,
            "payloads_in": tally.payloads_in,
            "payloads_out": tally.payloads_out,
            "attempts": tally.attempts,
            "duration_ms": round(tally.seconds * 1000, 3),
        }
        for key, tally in active.tallies.items()
    ]
    return {"steps": steps, **({"error": dict(error)} if error else {})}
