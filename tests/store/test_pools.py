"""Data pools: of many who claim a key one gets it; whatever becomes of runs, a record passes once and is not lost."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, insert, select
from tests.store import rows
from tests.store.rows import NOW

from flowloom import errors
from flowloom.domain.run import Status
from flowloom.store import pools, tables

POOL = "orders"
ENDS = (Status.SUCCESS, Status.FAILURE, Status.STOPPED)


def add_pool(connection, company_id):
    return rows.add(
        connection, tables.data_pools, company_id=company_id, name=POOL, description="", **rows.TIMES
    )


def claim(connection, run_id, keys, position="0", company_id=1):
    holder = pools.Holder(run_id, "dedupe", position)
    return pools.claim(connection, company_id, POOL, holder, dict(enumerate(keys)), NOW)


def entries(connection):
    found = select(tables.pool_entries.c.key, tables.pool_entries.c.run_id, tables.pool_entries.c.is_released)
    return {key: "free" if released else run_id for key, run_id, released in connection.execute(found)}


def letter(connection, run_id, position, state="open"):
    row = {
        "company_id": 1, "flow_id": 1, "flow_version_id": 1, "iteration": 1, "run_id": run_id,
        "step_key": "send", "step_name": "Send", "position": position, "error_class": "data", "message": "",
        "is_caught": True, "content_type": "a/b", "meta": {}, "variables": {}, "bytes": 0, "state": state,
        "created_at": NOW,
    }  # fmt: skip
    connection.execute(insert(tables.dead_letters).values(row))


async def test_of_all_who_claim_a_key_at_once_one_gets_it(opened):
    database, won = opened.database, []
    database.write_now(add_pool, opened.company_id)
    begin = threading.Barrier(6)

    def work(run_id):
        begin.wait()
        for start in range(0, 60, 20):
            # Each comes along in another order.
            keys = [str(start + (number * (run_id + 1)) % 20) for number in range(20)]
            new = database.write_now(claim, run_id, keys, "0", opened.company_id)
            won.extend((keys[number], run_id) for number in new)

    threads = [threading.Thread(target=work, args=(run_id,)) for run_id in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == len({key for key, _ in won}) == len(database.read_now(entries))


def test_the_same_place_finds_its_own_claims_and_no_other_does(opened):
    opened.database.write_now(add_pool, opened.company_id)

    def work(connection):
        assert claim(connection, 1, ["a", "b", "a"]) == {0, 1}
        assert claim(connection, 1, ["a", "b", "a"]) == {0, 1}
        assert claim(connection, 1, ["b", "a"]) == set()
        assert claim(connection, 1, ["a"], "0.1") == set()
        assert claim(connection, 2, ["a", "c"]) == {1}
        assert pools.unknown(connection, 1, POOL, {5: "a", 6: "d"}) == {6}
        with pytest.raises(errors.Invalid, match="no data pool 'orders'"):
            claim(connection, 1, ["a"], company_id=2)

    opened.database.write_now(work)


@pytest.mark.parametrize(
    ("letters", "released"),
    [
        ([], []),
        ([("0.1", "open")], ["0.1"]),
        ([("0.1.k12.3", "open")], ["0.1"]),
        ([("0.1.e4", "open"), ("0.3", "open")], ["0.1"]),
        ([("0", "open")], ["0.1", "0.10", "0.2"]),
        ([("0.1", "discarded")], []),
    ],
)
def test_partial_success_releases_what_an_open_dead_letter_tells_of(opened, letters, released):
    opened.database.write_now(add_pool, opened.company_id)

    def work(connection):
        for position in ("0.1", "0.10", "0.2"):
            claim(connection, 7, [position], position)
        for position, state in letters:
            letter(connection, 7, position, state)
        pools.settle(connection, 7, Status.PARTIAL)
        return sorted(key for key, holder in entries(connection).items() if holder == "free")

    assert opened.database.write_now(work) == released


def test_a_re_drive_takes_the_claims_that_are_its_own_alone(opened):
    opened.database.write_now(add_pool, opened.company_id)

    def work(connection):
        claim(connection, 7, ["a", "b"], "0.1")
        claim(connection, 7, ["c"], "0.2")
        letter(connection, 7, "0.1.0")
        letter(connection, 7, "0.1.1")
        letter(connection, 7, "0.2")
        pools.settle(connection, 7, Status.FAILURE)
        pools.hand_on_payload(connection, 7, 8, "0.1.0")
        assert entries(connection) == {"a": "free", "b": "free", "c": "free"}
        pools.hand_on_payload(connection, 7, 8, "0.2")
        assert entries(connection) == {"a": "free", "b": "free", "c": 8}

    opened.database.write_now(work)


def test_a_retry_takes_the_claims_of_the_steps_it_does_not_do_again(opened):
    opened.database.write_now(add_pool, opened.company_id)

    def work(connection):
        for step in ("one", "two_", "twox"):
            pools.claim(connection, 1, POOL, pools.Holder(7, step, "0"), {0: step}, NOW)
        pools.hand_on(connection, 7, 8, ["two_"])
        assert set(entries(connection).values()) == {7}
        pools.settle(connection, 7, Status.FAILURE)
        pools.hand_on(connection, 7, 8, ["two_"])
        assert entries(connection) == {"one": 8, "two_": "free", "twox": 8}

    opened.database.write_now(work)


@dataclass
class Model:
    """What should be: which keys are done for good, and which run holds the others."""

    done: set[str] = field(default_factory=set)
    held: dict[str, int] = field(default_factory=dict)
    runs: dict[int, list[str]] = field(default_factory=dict)

    def passes(self, run_id, keys):
        """The keys of a bucket that a run lets through; it holds them then."""
        free = [key for key in dict.fromkeys(keys) if key not in self.done]
        passed = [key for key in free if self.held.get(key, run_id) == run_id]
        self.held.update(dict.fromkeys(passed, run_id))
        return passed

    def end(self, run_id, status):
        mine = {key for key, holder in self.held.items() if holder == run_id}
        assert status != Status.SUCCESS or not mine & self.done
        self.done |= mine if status == Status.SUCCESS else set()
        self.held = {key: holder for key, holder in self.held.items() if holder != run_id}


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("start"), st.lists(st.sampled_from("abcde"), min_size=1, max_size=4)),
        st.tuples(st.just("end"), st.integers(0, 5), st.sampled_from(ENDS)),
        st.tuples(st.just("retry"), st.integers(0, 5)),
        st.tuples(st.just("crash"), st.integers(0, 5)),
    ),
    max_size=25,
)


@pytest.fixture(scope="module")
def memory():
    engine = create_engine("sqlite://")
    tables.metadata.create_all(engine)
    with engine.begin() as connection:
        add_pool(connection, rows.add_company(connection))
    return engine


@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_no_record_is_lost_and_none_passes_again_after_success(memory, steps):
    with memory.connect() as connection:
        model, going, ended = Model(), {}, {}
        for number, step in enumerate(steps, 1):
            _turn(connection, model, going, ended, number, step)
            assert entries(connection) == _expected(connection, model)
        connection.rollback()


def _turn(connection, model, going, ended, number, step):
    """Do one thing to runs, to the pool and to the model alike. `going` and `ended` are {run: keys of its bucket}."""
    match step:
        case ("start", keys):
            _begin(connection, model, going, number, keys)
        case ("end", at, status) if going:
            run_id = sorted(going)[at % len(going)]
            model.end(run_id, status)
            pools.settle(connection, run_id, status)
            ended[run_id] = going.pop(run_id)
        case ("crash", at) if going:
            run_id = sorted(going)[at % len(going)]
            # It does again what was not recorded, and finds what it held and what has become free meanwhile.
            _begin(connection, model, going, run_id, going[run_id])
        case ("retry", at) if ended:
            again = sorted(ended)[at % len(ended)]
            _begin(connection, model, going, number, ended[again])


def _begin(connection, model, going, run_id, keys):
    going[run_id] = keys
    assert _claimed(connection, run_id, keys) == model.passes(run_id, keys)


def _claimed(connection, run_id, keys):
    return [keys[number] for number in sorted(claim(connection, run_id, keys))]


def _expected(connection, model):
    """Every key that was ever claimed: for good, held, or free."""
    return {key: None if key in model.done else model.held.get(key, "free") for key in entries(connection)}


def test_a_payload_that_was_put_beside_its_place_is_claimed_there() -> None:
    positions = ["0", "0.0", "0.1", "0.0~1", "1"]
    assert pools._related(positions, {"0.0~1"}) == ["0", "0.0", "0.0~1"]
    assert pools._related(positions, {"0.0~1.2"}) == ["0", "0.0", "0.0~1"]
    assert pools._related(["0.0~1.4", "0.1"], {"0.0"}) == ["0.0~1.4"]
