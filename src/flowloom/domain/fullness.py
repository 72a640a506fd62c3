"""Since when all places are taken: those of the server, and those of companies that have so many at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime


class Fullness:
    """Remembers from claim to claim what was full at each look; the server has so many `places`."""

    def __init__(self, places: int = 0) -> None:
        self._places = places
        self._server_since: datetime | None = None
        self._companies: dict[int, tuple[int, datetime]] = {}

    def server_is_full(self, now: datetime, running: Mapping[int, int]) -> None:
        """There is no place, so that nobody was looked at; who has fewer runs going on than its limit is not full."""
        self._server_since = self._server_since or now
        self._companies = {
            id: (limit, since)
            for id, (limit, since) in self._companies.items()
            if running.get(id, 0) >= limit
        }

    def learn(
        self, now: datetime, running: Mapping[int, int], limits: Mapping[int, int], *, is_server_full: bool
    ) -> None:
        """What a claim leaves behind: `limits` are those of all companies that had a run ready (0: none)."""
        self._server_since = (self._server_since or now) if is_server_full else None
        self._companies = {
            id: (limit, self._companies[id][1] if id in self._companies else now)
            for id, limit in limits.items()
            if 0 < limit <= running.get(id, 0)
        }

    def taken(self, company_id: int) -> Iterator[tuple[str, int, datetime]]:
        """What was full until now for a run of a company: (company or server, places, since)."""
        if company_id in self._companies:
            yield "company", *self._companies[company_id]
        if self._server_since is not None:
            yield "server", self._places, self._server_since
