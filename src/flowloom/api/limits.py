"""Throttles, in this process's memory: requests of a company, and failed logins of an account and an address."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Final

from flowloom import errors

MINUTE: Final = timedelta(minutes=1)
ACCOUNT_FAILURES: Final = 5
ADDRESS_FAILURES: Final = 30
MAX_REMEMBERED: Final = 10_000


class RateLimit:
    """At most so many requests in any minute for each company; 0 is no limit."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._taken: dict[int, deque[datetime]] = {}

    def take(self, company_id: int, now: datetime) -> None:
        """Count a request. Raises TooMany."""
        if not self._per_minute:
            return
        taken = self._taken.setdefault(company_id, deque())
        _forget(taken, now)
        if len(taken) >= self._per_minute:
            wait = (taken[0] + MINUTE - now).total_seconds()
            raise errors.TooMany(f"More than {self._per_minute} requests a minute; slow down.", wait)
        taken.append(now)


class LoginThrottle:
    """After 5 failures of an account or 30 of an address within a minute, logins wait for the minute to pass."""

    def __init__(self) -> None:
        self._failures: OrderedDict[Hashable, deque[datetime]] = OrderedDict()

    def check(self, account: str, address: str, now: datetime) -> None:
        """Raises TooMany while there were too many failures."""
        for key, allowed in (
            (("account", account), ACCOUNT_FAILURES),
            (("address", address), ADDRESS_FAILURES),
        ):
            failed = self._failures.get(key, deque())
            _forget(failed, now)
            if len(failed) >= allowed:
                wait = (failed[0] + MINUTE - now).total_seconds()
                raise errors.TooMany(
                    f"Too many failed logins; try again in {max(1, round(wait))} seconds.", wait
                )

    def failed(self, account: str, address: str, now: datetime) -> None:
        """Count a login, as failed until it succeeds."""
        for key in (("account", account), ("address", address)):
            self._failures.setdefault(key, deque()).append(now)
            self._failures.move_to_end(key)
        while len(self._failures) > MAX_REMEMBERED:
            self._failures.popitem(last=False)

    def succeeded(self, account: str, address: str) -> None:
        """Forget an account's failures, and the address's newest: that was this login."""
        self._failures.pop(("account", account), None)
        if counted := self._failures.get(("address", address)):
            counted.pop()


def _forget(times: deque[datetime], now: datetime) -> None:
    while times and times[0] <= now - MINUTE:
        times.popleft()
