"""Callbacks: waiting for what a run answers its caller. Signals only say when to look; the database knows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, select

from flowloom.domain import run
from flowloom.services.platform import Platform
from flowloom.store import database, tables

RUNS, PAYLOADS = tables.runs.c, tables.payloads.c
LOOK_AGAIN_SECONDS: Final = 1.0
_STATE = (
    select(
        RUNS.status, PAYLOADS.state, PAYLOADS.content_type, PAYLOADS.encoding, PAYLOADS.body, PAYLOADS.blob
    )
    .select_from(tables.runs)
    .join(tables.payloads, and_(PAYLOADS.run_id == RUNS.id, PAYLOADS.kind == "answer"), isouter=True)
)


def look(connection: Connection, run_id: int) -> Row[Any]:
    """How a run stands, {status}, and its answer, if it has one: {state: {status, headers}, content_type, ...}.

    Raises Missing for a run that retention has removed.
    """
    found = connection.execute(_STATE.where(RUNS.id == run_id)).one_or_none()
    row: Row[Any] = database.row_or_missing(found, "Flow run", run_id)
    return row


async def wait(
    platform: Platform, run_id: int, seconds: float, is_gone: Callable[[], Awaitable[bool]]
) -> Row[Any]:
    """How a run stands once it has answered or ended, at the latest after these seconds, or when nobody waits.

    Raises Missing.
    """
    async with platform.broker.watch(run_id) as events:
        until = asyncio.get_running_loop().time() + seconds
        while True:
            found = await platform.database.read(look, run_id)
            left = until - asyncio.get_running_loop().time()
            if found.state is not None or run.is_finished(found.status) or left <= 0 or await is_gone():
                return found
            if not await _signal(events, min(left, LOOK_AGAIN_SECONDS)):
                return found


async def _signal(events: asyncio.Queue[dict[str, Any] | None], seconds: float) -> bool:
    """Wait for the next event after which there may be an answer, or so long; False when the server goes down."""
    try:
        async with asyncio.timeout(seconds):
            while (event := await events.get()) is not None:
                if event["type"] == "run" or event.get("state") == "finished":
                    return True
        return False
    except TimeoutError:
        return True
