"""A simulation by seed: clients start, stop and retry runs while disk, network and process fail.

In the end all failures cease, and everything must come to its end. The same seed gives the same events.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

from structlog.testing import capture_logs
from tests.simulation import flows, invariants, process, storage, virtual
from tests.simulation.clients import Clients
from tests.simulation.network import Network

from flowloom.engine import faults, plan
from flowloom.runtime import scheduler
from flowloom.services import schedules

BEGAN_AT = datetime(2026, 3, 2, 10, 0, 40, tzinfo=UTC)
POLL_SECONDS = 20.0
REST_SECONDS, PATIENCE_SECONDS = 30.0, 3600.0
CALM_SECONDS = 0.05
OUTCOME = "SELECT id, flow_id, status, fence, queued_at, started_at, finished_at FROM flow_runs ORDER BY id"
Act = tuple[float, Callable[[], object]]


# A run that is left unfinished, a loop that fails: what the product says only when it is wrong itself.
EXPECTED_LOGS = {"database_busy", "loop_waits_for_database", "database_not_written", "database_written_again"}


class Simulation:
    """One seed: `run` lets it happen, `breaches` are the promises that were not kept."""

    def __init__(self, seed: int, engines: storage.Engines) -> None:
        self.trace: list[tuple[Any, ...]] = []
        self.breaches: list[str] = []
        self._seed = seed
        self._engines = engines
        self._loop = virtual.Loop()
        self._script = self._random("script")
        self._disk_random, self._run_random = self._random("disk"), self._random("runs")
        self.network = Network(self._random("network"), self.now, self.note)
        self.clients = Clients(self._random("clients"), self.now, self.note)
        self._has_schedule = self._script.random() < 0.2
        self._length = 200.0 if self._has_schedule else 40.0
        self._faults = storage.Faults(*self._script.choice(((0.0, 0.0), (0.05, 0.02), (0.3, 0.1))), 0.2)
        self._is_pooled = self._script.random() < 0.5
        self._is_out = False
        self._deaths = 0
        self.ends_at: datetime | None = None

    def now(self) -> datetime:
        return BEGAN_AT + timedelta(microseconds=round(self._loop.now * 1e6))

    def note(self, *what: Any) -> None:
        """Remember an event."""
        self.trace.append((round(self._loop.now, 6), *what))

    def run(self) -> None:
        """Let everything happen, come to rest, and see which promises were kept."""
        self._engines.empty()
        with self._engines.write.begin() as connection:
            flows.write(connection, self._script, self.now(), with_schedule=self._has_schedule)
        self.network.fault_rate = self._script.choice((0.0, 0.1, 0.4))
        self.network.latency_seconds = self._script.choice((0.1, 2.0, 40.0))
        self._boot()
        for at, act in self._acts():
            self._until(at)
            act()
        self._until(self._length)
        self._calm_down()
        self._come_to_rest()
        self._loop.kill()
        self._loop.close()

    def _random(self, part: str) -> random.Random:
        return random.Random(f"{self._seed}/{part}")

    def _acts(self) -> Sequence[Act]:
        """What happens from outside, and when."""
        choose = self._script.choice
        acts: list[Act] = [(self._moment(), self._wish) for _ in range(choose((1, 2, 3)))]
        # Some stop what they have only just started.
        soon = [at + self._script.random() for at, _ in acts if self._script.random() < 0.2]
        acts += [(at, self._stop) for at in soon]
        acts += [(self._moment(), self._stop) for _ in range(choose((0, 0, 1)))]
        acts += [(self._moment(), self._retry) for _ in range(choose((0, 0, 1)))]
        acts += [(self._moment(), self._kill) for _ in range(choose((0, 0, 1, 2)))]
        if self._script.random() < 0.2:
            begins = self._moment()
            ends = begins + self._script.random() * self._length / 2
            acts += [(begins, lambda: self._outage(True)), (ends, lambda: self._outage(False))]
        return sorted(acts, key=lambda act: act[0])

    def _moment(self) -> float:
        return self._script.random() * self._length * 0.8

    def _until(self, instant: float) -> None:
        """Go on until then; a process that dies at a crash point is followed by the next one."""
        while self._loop.now < instant:
            self._loop.run_until(instant)
            if self._engines.disk.is_dead:
                self._replace()

    def _boot(self) -> None:
        armed = None
        if self._deaths < 3 and self._script.random() < 0.3:
            armed = self._script.choice(sorted(faults.POINTS)), self._script.randint(1, 4)
        database = storage.Database(self._engines, self.note, self._disk_random, is_pooled=self._is_pooled)
        database.faults_now, database.is_out = self._faults, self._is_out
        self._live = process.Process(
            database, self.network, self.now, self._run_random.random, armed, self._loop.stop
        )
        self.network.process = self._live
        self._loop.create_task(self._live.boot())

    def _kill(self) -> None:
        self._live.kill()
        self._replace()

    def _replace(self) -> None:
        """The process is gone with all that was in memory; another one takes its place, after a while."""
        self.note("killed")
        self._deaths += 1
        self._loop.kill()
        self.network.cut_off()
        self._engines.revive()
        self._loop.now += self._script.choice((0.0, 1.0, 90.0))
        self._boot()
        for wish in self.clients.unanswered():
            self._loop.create_task(self.clients.start(self._live, wish))

    def _wish(self) -> None:
        self._loop.create_task(self.clients.start(self._live, self.clients.wish()))

    def _stop(self) -> None:
        self._loop.create_task(self.clients.stop(self._live))

    def _retry(self) -> None:
        self._loop.create_task(self.clients.retry(self._live))

    def _outage(self, is_out: bool) -> None:
        self._is_out = self._live.database.is_out = is_out

    def _calm_down(self) -> None:
        """No failures from here on, and no more slots."""
        self.note("calm")
        self._faults, self._is_out = storage.CALM, False
        self._live.database.faults_now, self._live.database.is_out = storage.CALM, False
        self._live.disarm()
        self.network.fault_rate, self.network.latency_seconds = 0.0, CALM_SECONDS
        self._until(self._loop.now + REST_SECONDS)
        if self._has_schedule:
            self.ends_at = self.now()
            with self._engines.write.begin() as connection:
                schedules.deactivate(connection, flows.CLOCK, self.ends_at)

    def _come_to_rest(self) -> None:
        """Wait until nothing goes on, and look at what is left."""
        patience = self._loop.now + PATIENCE_SECONDS
        while self._loop.now < patience and (self._unfinished() or self.clients.unanswered()):
            self._until(self._loop.now + REST_SECONDS)
        self.note("runs", *self._engines.disk.execute(OUTCOME).fetchall())
        self.breaches += self.network.breaches
        with self._engines.read.connect() as connection:
            self.breaches += invariants.breaches(connection, self.network.calls, self.clients, self.ends_at)

    def _unfinished(self) -> bool:
        found = self._engines.disk.execute("SELECT 1 FROM flow_runs WHERE status < 2 LIMIT 1")
        return found.fetchone() is not None


def simulate(seed: int, engines: storage.Engines) -> Simulation:
    """Run a seed."""
    with (
        mock.patch.object(plan, "load", process.load_plan),
        mock.patch.object(scheduler, "POLL_SECONDS", POLL_SECONDS),
        capture_logs() as lines,
    ):
        simulation = Simulation(seed, engines)
        try:
            simulation.run()
        except BaseException as error:
            error.add_note(replay(seed))
            raise
    simulation.breaches += [f"the log says {line}" for line in lines if _is_unexpected(line)]
    return simulation


def replay(seed: int) -> str:
    """How a seed is run again."""
    return f"Seed {seed}. Replay it: FLOWLOOM_SIMULATION_SEED={seed} python -m pytest -n 0 tests/simulation"


def _is_unexpected(line: Mapping[str, Any]) -> bool:
    is_of_the_dying = isinstance(line.get("exc_info"), process.Killed)
    return line["event"] not in EXPECTED_LOGS and not is_of_the_dying
