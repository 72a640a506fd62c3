"""Driving dead letters again, one or all that a list's filters name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from flowloom.services import dead_letters, retries
from flowloom.services.actor import Actor
from flowloom.store import answers, queue
from flowloom.store.blobs import Packed


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a dead letter is to be driven again: on which version, with which body and content type in its place."""

    version_id: int | None = None
    edited: tuple[Packed, str] | None = None
    idempotency: tuple[str, str] | None = None


def redrive(connection: Connection, actor: Actor, ids: queue.RunIds, id: int, wish: Wish) -> queue.Started:
    """Queue a run of a dead letter's payload alone, from the step that failed it.

    Raises Missing, Conflict when it is not open or its run is gone, Invalid for a version without that step.
    """
    row = dead_letters.hold(connection, actor, id)
    first = queue.replayed(connection, actor.company_id, wish.idempotency)
    if first is not None:
        return first
    chosen = retries.version_of_letter(connection, actor, row, wish.version_id)
    return dead_letters.redrive(connection, actor, ids, row, chosen, wish.edited, wish.idempotency)


def redrive_matching(
    connection: Connection,
    actor: Actor,
    ids: queue.RunIds,
    values: Mapping[str, Any],
    idempotency: tuple[str, str] | None,
) -> answers.Answer:
    """Drive up to 1,000 open ones that a list's filters name again: {flow_run_ids, skipped}. Raises Invalid."""

    def work() -> answers.Answer:
        found = dead_letters.open_matching(connection, actor, values)
        return retries.each_apart(connection, found, lambda id: redrive(connection, actor, ids, id, Wish()))

    return answers.once(connection, actor.company_id, idempotency, actor.at, work)
