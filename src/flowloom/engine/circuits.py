"""The circuit breakers of connections, as this process knows them: a system that fails is left alone for a while.

Closed lets every request out. After so many failures in a row it is open and lets none out; when its pause is over
it is half open, and one request goes out as a trial that closes it or opens it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from flowloom.steps import contract
from flowloom.store.connections import Connection

Name = Literal["closed", "open", "half_open"]
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class State:
    """How a circuit stands; `opens_until` while it is open."""

    name: Name
    opens_until: datetime | None = None


@dataclass(slots=True)
class _Circuit:
    failures: int = 0
    opens_until: datetime | None = None
    is_tried: bool = False


@dataclass(slots=True)
class Attempt:
    """A request that was let out. Whoever sent it says whether it `failed`; nothing said is no news."""

    failed: bool | None = None


class Circuits:
    """The circuits of all connections, by the connection's id. `shared_circuits` has those of several processes."""

    def __init__(self) -> None:
        self._circuits: dict[int, _Circuit] = {}

    async def start(self) -> None:
        """Learn how they stand; before anything else."""

    async def admit(self, connection: Connection) -> None:
        """Ask other processes, of a circuit that is half open. Raises RequestFailed when they try it already."""

    def learned(self, connection: Connection, *, failed: bool, is_trial: bool) -> None:
        """Something became of a request that others should know."""

    def unlearned(self, connection: Connection) -> None:
        """Nothing became of a trial: another may be made at once."""

    def know(self, connection_id: int, failures: int, opens_until: datetime | None) -> None:
        """A circuit stands like this."""
        circuit = self._circuits.setdefault(connection_id, _Circuit())
        circuit.failures, circuit.opens_until = failures, opens_until

    def state(self, connection_id: int, now: datetime) -> State:
        """How a connection's circuit stands."""
        circuit = self._circuits.get(connection_id, _Circuit())
        until = circuit.opens_until
        if until is None:
            return State("closed")
        return State("open", until) if now < until else State("half_open")

    def check(self, connection: Connection, now: datetime) -> None:
        """Raise RequestFailed while no request of this connection goes out."""
        breaker = connection.circuit_breaker
        if breaker is None:
            self._circuits.pop(connection.id, None)
            return
        circuit = self._circuits.setdefault(connection.id, _Circuit())
        if circuit.opens_until is None:
            return
        rest = (circuit.opens_until - now).total_seconds()
        if rest > 0 or circuit.is_tried:
            raise resting(connection, rest if rest > 0 else breaker["pause_seconds"])

    @contextmanager
    def attempt(self, connection: Connection, clock: Clock) -> Iterator[Attempt]:
        """Let one request out, and learn from how it ends. Raises RequestFailed as `check`."""
        self.check(connection, clock())
        attempt = Attempt()
        circuit = self._circuits.get(connection.id)
        if circuit is None:
            yield attempt
            return
        is_trial = circuit.opens_until is not None
        circuit.is_tried = is_trial
        try:
            yield attempt
        finally:
            if is_trial:
                circuit.is_tried = False
            if attempt.failed is not None:
                is_news = attempt.failed or is_trial or circuit.failures > 0
                _learn(circuit, connection, attempt.failed, clock, is_trial=is_trial)
                if is_news:
                    self.learned(connection, failed=attempt.failed, is_trial=is_trial)
            elif is_trial:
                self.unlearned(connection)


def resting(connection: Connection, seconds: float) -> contract.RequestFailed:
    """No request of this connection goes out for a while."""
    failures = (connection.circuit_breaker or {}).get("failures")
    return contract.RequestFailed(
        f"The connection {connection.name} rests after {failures} failures in a row.",
        passing=True,
        after_seconds=seconds,
        is_resting=True,
    )


def _learn(circuit: _Circuit, connection: Connection, failed: bool, clock: Clock, *, is_trial: bool) -> None:
    if circuit.opens_until is not None and not is_trial:
        return  # It was let out before the circuit opened, and knows nothing of now.
    if not failed:
        circuit.failures, circuit.opens_until = 0, None
        return
    breaker = connection.circuit_breaker or {}
    circuit.failures += 1
    if is_trial or circuit.failures >= breaker["failures"]:
        circuit.opens_until = clock() + timedelta(seconds=breaker["pause_seconds"])
