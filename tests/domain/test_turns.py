"""Turns: who has fewer going on is served first, then who was served the longest ago."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from flowloom.domain.turns import Turns

COUNTS = st.dictionaries(st.integers(1, 6), st.integers(0, 8), min_size=1)


def test_places_go_round() -> None:
    turns = Turns()
    assert turns.order(5, {3, 1, 2}, {}, {}) == [1, 2, 3, 1, 2]
    turns.take(1)
    assert turns.order(2, {1, 2, 3}, {}, {}) == [2, 3]


def test_fewer_going_on_come_first_and_a_limit_holds() -> None:
    assert Turns().order(9, {1, 2}, {1: 2}, {2: 4, 1: 3}) == [2, 2, 1, 2, 2]


@given(running=COUNTS, limits=COUNTS, room=st.integers(0, 40))
def test_nobody_gets_two_more_than_another_who_could_have_had_one(
    running: dict[int, int], limits: dict[int, int], room: int
) -> None:
    waiting = set(running) | set(limits)
    order = Turns().order(room, waiting, running, limits)
    after = Counter(running) + Counter(order)
    more = [id for id in waiting if not 0 < limits.get(id, 0) <= after[id]]
    assert len(order) == room or not more
    for id in set(order):
        assert not 0 < limits.get(id, 0) < after[id]
        assert all(after[id] <= after[other] + 1 for other in more)
