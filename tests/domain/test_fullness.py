"""Since when all places are taken, as claims find it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from flowloom.domain.fullness import Fullness

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.fixture
def full() -> Fullness:
    """A server that is full, as the company 1 is."""
    made = Fullness(32)
    made.learn(NOW, {1: 5, 2: 27}, {1: 5, 2: 0}, is_server_full=True)
    return made


def test_it_is_since_the_first_look_that_found_it(full: Fullness) -> None:
    full.learn(later(1), {1: 5}, {1: 5, 2: 0}, is_server_full=True)
    full.server_is_full(later(2), {1: 5})
    assert list(full.taken(1)) == [("company", 5, NOW), ("server", 32, NOW)]
    assert list(full.taken(2)) == [("server", 32, NOW)]


def test_a_place_that_nobody_took_ends_it(full: Fullness) -> None:
    full.learn(later(1), {1: 4}, {1: 5}, is_server_full=False)
    assert list(full.taken(1)) == []
    full.learn(later(2), {1: 5}, {1: 5}, is_server_full=False)
    assert list(full.taken(1)) == [("company", 5, later(2))]


def test_a_company_without_runs_that_are_ready_is_not_looked_at(full: Fullness) -> None:
    full.learn(later(1), {1: 5}, {}, is_server_full=True)
    assert list(full.taken(1)) == [("server", 32, NOW)]


def test_a_company_has_room_again_while_the_server_has_none(full: Fullness) -> None:
    full.server_is_full(later(1), {1: 4})
    assert list(full.taken(1)) == [("server", 32, NOW)]
