"""A worker claims what it was handed, also beside a run that cannot be claimed."""

from __future__ import annotations

from typing import Any

import pytest
from tests.store.queueing import queued
from tests.store.rows import NOW
from tests.store.test_handing import SILENCE

from flowloom import errors
from flowloom.runtime import sources
from flowloom.store import processes, recall


@pytest.fixture
def opened(postgres_opened):
    return postgres_opened


class Handout:
    """Hands what it was given, and notes what became of it."""

    def __init__(self, ids: list[int]) -> None:
        self.ids = ids
        self.told: dict[str, set[int]] = {"done": set(), "back": set(), "off": set()}

    async def take(self, room: int) -> list[int]:
        return self.ids

    def refuse(self) -> None: ...

    def done(self, run_ids: Any) -> None:
        self.told["done"] |= set(run_ids)

    def put_back(self, run_ids: Any) -> None:
        self.told["back"] |= set(run_ids)

    def put_off(self, run_ids: Any) -> None:
        self.told["off"] |= set(run_ids)


def fail_for(monkeypatch, faults: dict[int, Exception]) -> None:
    fill = recall.fill

    def failing(connection, claimed):
        for id in claimed:
            if id in faults:
                raise faults[id]
        fill(connection, claimed)

    monkeypatch.setattr(recall, "fill", failing)


def handed(opened, ids):
    member = opened.database.write_now(processes.register, "worker", 8, SILENCE, "key")
    handout = Handout(ids)
    return sources.Handed(opened.database, handout, member, 0), handout.told


async def test_a_run_whose_past_cannot_be_read_is_put_off_alone(opened, monkeypatch):
    first, faulty, last = queued(opened, 3)
    fail_for(monkeypatch, {faulty: ValueError("not JSON")})
    source, told = handed(opened, [first, faulty, last, 12345])
    claimed = await source.claim(4, NOW, {})
    assert [one.row.id for one in claimed] == [first, last]
    assert told == {"done": {12345}, "back": set(), "off": {faulty}}


async def test_where_none_can_be_claimed_it_is_said(opened, monkeypatch):
    [faulty] = queued(opened)
    fail_for(monkeypatch, {faulty: ValueError("not JSON")})
    source, told = handed(opened, [faulty])
    with pytest.raises(ValueError, match="not JSON"):
        await source.claim(1, NOW, {})
    assert told == {"done": set(), "back": set(), "off": {faulty}}


async def test_without_a_database_all_goes_back_that_was_not_claimed(opened, monkeypatch):
    first, faulty, away = queued(opened, 3)
    busy = errors.Busy("The database cannot take this now; try again.")
    fail_for(monkeypatch, {faulty: ValueError("not JSON"), away: busy})
    source, told = handed(opened, [first, faulty, away])
    assert [one.row.id for one in await source.claim(3, NOW, {})] == [first]
    assert told == {"done": set(), "back": {away}, "off": {faulty}}
