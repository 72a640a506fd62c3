"""Rate limits and circuit breakers as the database keeps them for all processes."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest
from sqlalchemy import text
from tests.engine.test_circuits import connection
from tests.store.rows import NOW

from flowloom import errors
from flowloom.engine import patience
from flowloom.engine.shared_circuits import SharedCircuits
from flowloom.steps import contract
from flowloom.store import bookings, breakers, broker
from flowloom.store import database as stores
from flowloom.store.database import Database

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def database(postgres_opened):
    return postgres_opened.database


def book(database, rate=1.0, burst=3.0):
    return database.write_now(bookings.book, 7, rate, burst)


def test_a_burst_is_free_and_what_comes_then_waits_its_turn(database):
    began = time.time()
    waits = [book(database) for _ in range(6)]
    slack = time.time() - began
    assert waits[:3] == [0, 0, 0]
    assert waits[3:] == [pytest.approx(seconds, abs=slack) for seconds in (1, 2, 3)]


def test_another_limit_holds_at_once_for_who_comes_next(database):
    began = time.time()
    for _ in range(100):
        book(database, rate=0.01, burst=1)
    wait = book(database, rate=10, burst=5)
    assert wait <= 0.1
    assert book(database, rate=10, burst=5) == pytest.approx(0.1, abs=time.time() - began)


def fail(database, *, is_trial=False):
    return database.write_now(lambda db: breakers.fail(db, 7, LATER, 2, is_trial=is_trial))


def succeed(database, *, is_trial=False):
    return database.write_now(lambda db: breakers.succeed(db, 7, is_trial=is_trial))


def claim_trial(database, now):
    return database.write_now(breakers.claim_trial, 7, now, now + timedelta(seconds=10))


def test_it_opens_after_failures_of_all_processes_in_a_row(database):
    assert fail(database) == (7, 1, None)
    assert succeed(database)
    assert fail(database) == (7, 1, None)
    assert fail(database) == (7, 2, LATER)
    assert database.read_now(breakers.load) == [(7, 2, LATER)]


def test_what_was_let_out_before_it_opened_changes_nothing(database):
    fail(database), fail(database)
    assert fail(database) == (7, 2, LATER)
    assert not succeed(database)


def test_half_open_is_tried_by_one(database):
    fail(database), fail(database)
    assert not claim_trial(database, NOW)
    assert claim_trial(database, LATER)
    assert not claim_trial(database, LATER)
    # Whoever tried it is gone: after a while another may.
    assert claim_trial(database, LATER + timedelta(seconds=10))
    assert fail(database, is_trial=True) == (7, 3, LATER)
    assert claim_trial(database, LATER)
    assert succeed(database, is_trial=True)
    assert database.read_now(breakers.load) == []


async def test_what_only_one_process_may_do_the_next_one_waits_for(database):
    other, order = Database(database.url.render_as_string(hide_password=False)), []

    async def work(opened, name):
        async with opened.alone("token 7"):
            order.append(f"{name} begins")
            await asyncio.sleep(0.05)
            order.append(f"{name} ends")

    await asyncio.gather(work(database, "one"), work(other, "two"))
    other.close()
    assert [line.split()[1] for line in order] == ["begins", "ends"] * 2


async def test_who_waits_too_long_to_be_the_only_one_leaves_no_session_open(database, monkeypatch):
    monkeypatch.setattr(stores, "LOCK_SECONDS", 1)
    other = Database(database.url.difference_update_query(["options"]).render_as_string(hide_password=False))
    count = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
    async with database.alone("token 7"):
        began = database.read_now(lambda db: db.scalar(count))
        # What is caught keeps all that was open: nothing is closed by chance.
        with pytest.raises(errors.Busy, match="LockNotAvailable") as _caught:
            async with other.alone("token 7"):
                raise AssertionError("it is not the only one")
        async with asyncio.timeout(5):
            while database.read_now(lambda db: db.scalar(count)) > began:
                await asyncio.sleep(0.02)
    other.close()


async def test_a_circuit_that_closed_unheard_lets_requests_out_again(database):
    """Signals are hints: who did not hear how a trial went finds it in the database."""
    shop = connection(id=7, circuit_breaker={"failures": 2, "pause_seconds": 300})
    circuits = SharedCircuits(database, broker.Broker(), lambda: LATER)
    fail(database), fail(database)
    await circuits.start()
    assert claim_trial(database, LATER)
    with pytest.raises(contract.RequestFailed):
        await circuits.admit(shop)
    assert succeed(database, is_trial=True)
    await circuits.admit(shop)
    assert circuits.state(7, LATER).name == "closed"


async def test_a_trial_of_which_nothing_became_is_given_back(database):
    """Its run was stopped, or the answer says nothing of the system: others do not rest for it."""
    shop = connection(id=7, circuit_breaker={"failures": 2, "pause_seconds": 300})
    circuits = SharedCircuits(database, broker.Broker(), lambda: LATER)
    fail(database), fail(database)
    await circuits.start()

    async def trial():
        await circuits.admit(shop)
        with circuits.attempt(shop, lambda: LATER):
            begun.set()
            await asyncio.Event().wait()

    for _ in range(2):
        begun = asyncio.Event()
        trying = asyncio.create_task(trial())
        await begun.wait()
        assert not claim_trial(database, LATER)
        trying.cancel()
        await asyncio.wait([trying])
        await asyncio.gather(*circuits._telling)
    assert claim_trial(database, LATER)


async def test_a_trial_that_another_has_claimed_since_is_not_given_back(database):
    fail(database), fail(database)
    assert claim_trial(database, LATER)
    await database.write(breakers.give_back, 7, LATER)
    assert not claim_trial(database, LATER)


async def test_a_request_waits_for_a_database_that_is_away_before_it_goes_out(database, monkeypatch):
    """Neither its turn under a rate limit nor a trial of a circuit fails with the database."""
    slept, write = [], database.write

    async def sleep(seconds):
        slept.append(seconds)

    async def away(*asked):
        if not slept:
            raise errors.Busy("The database cannot take this now; try again.")
        return await write(*asked)

    circuits = SharedCircuits(database, broker.Broker(), lambda: LATER, sleep)
    fail(database), fail(database)
    await circuits.start()
    monkeypatch.setattr(database, "write", away)
    await circuits.admit(connection(id=7, circuit_breaker={"failures": 2, "pause_seconds": 300}))
    assert slept == [patience.PAUSE_SECONDS]
    assert not claim_trial(database, LATER)
