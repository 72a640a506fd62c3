"""Whose turn it is: companies that share the places of one server are served one after another."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping


class Turns:
    """Remembers who was served when. The fewest runs going on come first, then who was served the longest ago."""

    def __init__(self) -> None:
        self._served: dict[int, int] = {}
        self._count = 0

    def order(
        self, room: int, waiting: Collection[int], running: Mapping[int, int], limits: Mapping[int, int]
    ) -> list[int]:
        """The companies to serve next, one of those that wait for each of `room` places, as if each had enough.

        `running` counts what goes on of each; nobody gets above its limit (absent or 0: none).
        """
        turns = [(running.get(id, 0), self._served.get(id, 0), id) for id in waiting]
        turns = [turn for turn in turns if _has_room(turn, limits)]
        heapq.heapify(turns)
        order: list[int] = []
        while turns and len(order) < room:
            count, _, id = heapq.heappop(turns)
            order.append(id)
            after = (count + 1, self._count + len(order), id)
            if _has_room(after, limits):
                heapq.heappush(turns, after)
        return order

    def take(self, company_id: int) -> None:
        """A company was served."""
        self._count += 1
        self._served[company_id] = self._count


def _has_room(turn: tuple[int, int, int], limits: Mapping[int, int]) -> bool:
    count, _, id = turn
    return not 0 < limits.get(id, 0) <= count
