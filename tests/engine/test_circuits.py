"""Circuit breakers: closed, open after failures in a row, half open for one trial."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from tests.engine.test_effects import begin
from tests.remote import Remote, Seen
from tests.world import NOW, Clock, World

from flowloom.engine.circuits import Circuits, State
from flowloom.steps import contract
from flowloom.store.connections import Connection

BREAKER = {"failures": 3, "pause_seconds": 30}


def connection(**fields: Any) -> Connection:
    values: dict[str, Any] = {
        "id": 1,
        "company_id": 1,
        "name": "Shop",
        "base_url": None,
        "allowed_hosts": [],
        "auth_type": "none",
        "auth": {},
        "secret": {},
        "headers": {},
        "timeout_seconds": None,
        "rate_limit": None,
        "circuit_breaker": None,
        "updated_at": NOW,
        "variables": {},
        **fields,
    }
    return Connection(**values)


class Line:
    """One connection's circuit on a set clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.circuits = Circuits()
        self.connection = connection(circuit_breaker=BREAKER)

    def call(self, failed: bool | None) -> None:
        with self.circuits.attempt(self.connection, self.clock) as attempt:
            attempt.failed = failed

    @property
    def state(self) -> State:
        return self.circuits.state(1, self.clock())

    def refused(self) -> float | None:
        """The seconds to wait, if no request goes out."""
        try:
            self.circuits.check(self.connection, self.clock())
        except contract.RequestFailed as failed:
            return failed.after_seconds if failed.passing else -1
        return None


@pytest.fixture
def line() -> Line:
    made = Line()
    for _ in range(3):
        assert made.state == State("closed")
        made.call(failed=True)
    return made


def test_it_opens_after_failures_in_a_row_and_says_for_how_long(line: Line):
    assert line.state.name == "open"
    assert line.refused() == 30
    line.clock.advance(seconds=29)
    assert line.refused() == 1
    with pytest.raises(contract.RequestFailed, match="Shop rests after 3 failures in a row"):
        line.call(failed=False)


def test_a_success_or_a_refusal_between_does_not_add_up():
    line = Line()
    for failed in (True, True, False, True, True, None):
        line.call(failed)
    assert line.state == State("closed")
    line.call(failed=True)
    assert line.state.name == "open"


@pytest.mark.parametrize(("failed", "name"), [(False, "closed"), (True, "open"), (None, "half_open")])
def test_half_open_lets_one_trial_out(line: Line, failed: bool | None, name: str):
    line.clock.advance(seconds=30)
    assert line.state == State("half_open")
    with line.circuits.attempt(line.connection, line.clock) as trial:
        assert line.refused() == 30
        trial.failed = failed
    assert line.state.name == name
    assert line.refused() == (30 if failed else None)


def test_a_trial_that_is_cut_off_makes_room_for_the_next(line: Line):
    line.clock.advance(seconds=30)
    with pytest.raises(asyncio.CancelledError), line.circuits.attempt(line.connection, line.clock):
        raise asyncio.CancelledError
    line.call(failed=False)
    assert line.state == State("closed")


def test_what_went_out_before_it_opened_changes_nothing():
    line = Line()
    with line.circuits.attempt(line.connection, line.clock) as late:
        for _ in range(3):
            line.call(failed=True)
        late.failed = False
    assert line.state.name == "open"


def test_taking_the_breaker_away_closes(line: Line):
    line.circuits.check(connection(), line.clock())
    assert line.refused() is None


async def broken(world: World, remote: Remote, pause_seconds: int = 45, **config: Any):
    breaker = {"failures": 2, "pause_seconds": pause_seconds}
    sent = {"name": "Shop", "base_url": remote.url(), "circuit_breaker": breaker}
    id = (await world.post("/connections", json=sent)).data["id"]
    step = {"direction": "send", "url": "/", "connection_id": id, **config}
    return await world.flow({"microservice": "connector", "config": step})


@pytest.mark.parametrize(
    ("status", "headers", "opens"),
    [
        (500, {}, True),
        (503, {"retry_after": "1"}, True),
        (429, {}, True),
        (429, {"retry_after": "1"}, False),
        (404, {}, False),
        (200, {}, False),
    ],
)
async def test_what_counts_as_a_failure(
    sqlite_server: World, remote: Remote, status: int, headers: dict[str, str], opens: bool
):
    remote.answers(status, **headers)
    flow = await broken(sqlite_server, remote, retries=0)
    for _ in range(2):
        await flow.run({})
    shown = (await sqlite_server.get("/connections/1")).data["circuit"]
    assert shown["state"] == ("open" if opens else "closed")


async def test_an_open_circuit_fails_fast_and_is_shown(server: World, remote: Remote):
    remote.answers(503, 503, 200)
    flow = await broken(server, remote, pause_seconds=4)
    run = await flow.run({})
    assert (run["status"], len(remote.seen)) == (2, 3)
    # The second failure opened it and the third attempt was not let out; the fourth, after its rest, is the trial.
    assert server.slept[2] == pytest.approx(4 - server.slept[1], abs=1e-3)
    remote.answers(503)
    flow = await broken(server, remote, retries=1)
    await flow.run({})
    shown = (await server.get("/connections")).data[1]["circuit"]
    assert shown == {"state": "open", "opens_until": shown["opens_until"]}
    assert datetime.fromisoformat(shown["opens_until"]) == server.clock.now + timedelta(seconds=45)
    server.clock.advance(seconds=46)
    assert (await server.get("/connections/2")).data["circuit"] == {"state": "half_open"}
    other = (await server.post("/connections", json={"name": "No breaker"})).data
    assert "circuit" not in other


async def test_others_wait_while_the_trial_is_out(sqlite_server: World, remote: Remote):
    remote.answers(503)
    flow = await broken(sqlite_server, remote, retries=0)
    for _ in range(2):
        await flow.run({})
    sqlite_server.clock.advance(seconds=45)
    go = asyncio.Event()

    async def slow(seen: Seen) -> web.Response:
        await go.wait()
        return web.json_response({})

    remote.answer = slow
    trial, other = await flow.start({}), await flow.start({})
    await begin(sqlite_server)
    await remote.until(3)
    while sqlite_server.server.duty.dispatcher.running > 1:
        await asyncio.sleep(0.001)
    go.set()
    await sqlite_server.settle()
    runs = {id: (await sqlite_server.get(f"/flow-runs/{id}")).data for id in (trial, other)}
    assert sorted(run["status"] for run in runs.values()) == [1, 2]
    assert len(remote.seen) == 3
    assert (await sqlite_server.get("/connections/1")).data["circuit"] == {"state": "closed"}
    sqlite_server.clock.advance(seconds=46)
    await sqlite_server.work()
    assert {(await sqlite_server.get(f"/flow-runs/{id}")).data["status"] for id in runs} == {2}


async def test_a_rest_is_no_attempt_and_ends_for_all_the_same(server: World, remote: Remote):
    remote.answers(503)
    flow = await broken(server, remote, pause_seconds=4, retries=0)
    for _ in range(2):
        await flow.run({})
    remote.answers(503, 200)
    first = await flow.run({})  # it rests, is the trial, and fails as that
    second = await flow.run({})
    assert [(run["status"], run["summary"]["steps"][-1]["attempts"]) for run in (first, second)] == [
        (3, 1),
        (2, 1),
    ]
    assert len(remote.seen) == 4
    step = second["summary"]["steps"][-1]
    assert step["waited_ms"] == {"circuit": pytest.approx(4000, abs=1)}


async def test_who_finds_the_circuit_open_too_often_gives_up(sqlite_server: World, remote: Remote):
    remote.answers(503)
    flow = await broken(sqlite_server, remote, pause_seconds=4, retries=0)
    for _ in range(2):
        await flow.run({})
    circuit = next(iter(sqlite_server.platform.circuits._circuits.values()))
    circuit.is_tried = True  # by a request that never comes back
    failed = await flow.run({})
    assert failed["summary"]["error"]["message"].endswith("Gave up after it rested 1 times.")
    assert (failed["summary"]["steps"][-1]["attempts"], len(remote.seen)) == (0, 2)
