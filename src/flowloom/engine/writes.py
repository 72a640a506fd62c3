"""What an answer wants to become true with its checkpoint, as work in the transaction that writes it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection

from flowloom.domain import graph
from flowloom.engine.active import Active
from flowloom.engine.plan import PlanStep
from flowloom.steps import contract
from flowloom.store import blobs, caches, outbox, secrets

Work = Callable[[Connection], None]


def prepare(active: Active, step: PlanStep, position: str, write: contract.Write, at: datetime) -> Work:
    """The work of one write of a step for the payload at `position`; of a Reply there are `replies` instead.

    It runs beside that of other runs, so that data must not make it fail.
    """
    match write:
        case contract.Put():
            return _put(active, write, at)
        case contract.Drop(scope, key):
            return partial(caches.drop, where=_place(active, scope, key))
        case contract.Notice(group_id):
            message = _message(active, step, position, write)
            return partial(outbox.tell, message=message, group_id=group_id, at=at)
        case _:
            raise TypeError(f"{type(write).__name__} is nothing that an answer may want.")


def _put(active: Active, write: contract.Put, at: datetime) -> Work:
    return partial(
        caches.append if write.append else caches.put,
        where=_place(active, write.scope, write.key),
        value=msgspec.json.encode(write.value),
        expires_at=write.expires_at,
        at=at,
    )


def _place(active: Active, scope: str, key: str) -> caches.Place:
    return caches.place(active.row.company_id, active.row.flow_id, active.row.origin_run_id, scope, key)


def _message(active: Active, step: PlanStep, position: str, notice: contract.Notice) -> outbox.Message:
    row, used = active.row, tuple(active.secrets)
    # A retry that comes here again has told it before.
    identity = f"{row.origin_run_id}/{step.key}/{position}"
    return outbox.Message(
        company_id=row.company_id,
        subject=secrets.redact(notice.subject, used),
        text=secrets.redact(notice.text, used),
        once_key=f"notice {hashlib.sha256(identity.encode()).hexdigest()}",
        flow_id=row.flow_id,
        run_id=row.id,
    )


def replies(active: Active, step: PlanStep, writes: Iterable[contract.Write]) -> list[dict[str, Any]]:
    """The payload rows, bodies raw, of what answers the run's caller. All have one place, so that the first stays."""
    return [_reply(active, step, write) for write in writes if isinstance(write, contract.Reply)]


def _reply(active: Active, step: PlanStep, reply: contract.Reply) -> dict[str, Any]:
    return {
        "run_id": active.row.id,
        "company_id": active.row.company_id,
        "step_key": graph.CALLBACK,
        "position": "0",
        "kind": "answer",
        "state": {"status": reply.status, "headers": dict(reply.headers), "step": step.key},
        "content_type": reply.payload.content_type,
        "meta": {},
        "raw": blobs.encode(reply.payload),
        "created_at": active.clock(),
    }
