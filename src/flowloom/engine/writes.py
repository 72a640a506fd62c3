"""What an answer wants to become true with its checkpoint, as work in the transaction that writes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

import msgspec
from sqlalchemy import Connection

from flowloom.engine.active import Active
from flowloom.steps import contract
from flowloom.store import caches

Work = Callable[[Connection], None]


def prepare(active: Active, write: contract.Write, at: datetime) -> Work:
    """The work of one write. It runs beside that of other runs, so that data must not make it fail."""
    match write:
        case contract.Put():
            return _put(active, write, at)
        case contract.Drop(scope, key):
            return partial(caches.drop, where=_place(active, scope, key))
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
