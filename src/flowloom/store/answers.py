"""What requests that start many runs were answered, kept with their Idempotency-Key, to be answered again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from flowloom.store import database, queue, tables

KEYS = tables.idempotency_keys.c
Answer = dict[str, Any]


def once(
    connection: Connection,
    company_id: int,
    idempotency: tuple[str, str] | None,
    at: datetime,
    work: Callable[[], Answer],
) -> Answer:
    """Do the work and keep its answer, or answer what was kept for this (key, fingerprint); without a key just do it.

    Raises Invalid when the key was used for another request.
    """
    if idempotency is None:
        return work()
    key, fingerprint = idempotency
    own = (KEYS.company_id == company_id, KEYS.key == key)
    row = {
        "company_id": company_id,
        "key": key,
        "fingerprint": fingerprint,
        "run_id": 0,
        "created_at": at,
    }
    # Where another transaction has claimed the key, this waits for its end.
    claimed = database.insert_or_ignore(connection, tables.idempotency_keys).returning(KEYS.key)
    if connection.execute(claimed, row).first() is None:
        queue.replayed(connection, company_id, idempotency)
        first: Answer = connection.execute(select(KEYS.answer).where(*own)).scalar_one()
        return first
    answer = work()
    connection.execute(update(tables.idempotency_keys).where(*own).values(answer=answer))
    return answer
