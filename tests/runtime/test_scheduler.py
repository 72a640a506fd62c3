"""The scheduler on a set clock: each slot fires once, or is in one stored range with its reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, insert, select, update
from tests.world import Flow, World

from flowloom.domain import run
from flowloom.runtime import scheduler
from flowloom.services import schedules
from flowloom.store import slots, tables

MINUTE = timedelta(minutes=1)
RUNS = tables.runs.c


async def scheduled(world: World, *, enabled: bool = True, **fields: Any) -> tuple[Flow, int]:
    """A deployed flow with one schedule, each minute unless told otherwise."""
    flow = await world.flow(deploy=False, is_enabled=enabled)
    sent = {"cron_string": "* * * * *", **fields}
    made = (await world.post(f"/flow-versions/{flow.version_id}/schedules", json=sent)).data
    await flow.deploy()
    return flow, made["id"]


async def pass_minutes(world: World, count: int, *, work: bool = True) -> None:
    """The server is up for so many minutes."""
    for _ in range(count):
        world.clock.now += MINUTE
        await world.tick()
        if work:
            await world.work()


async def fired(world: World, schedule_id: int | None = None) -> list[datetime]:
    found = select(RUNS.fire_at).where(RUNS.fire_at.is_not(None)).order_by(RUNS.fire_at)
    if schedule_id is not None:
        found = found.where(RUNS.schedule_id == schedule_id)
    return await world.platform.database.read(lambda db: list(db.scalars(found)))


async def ranges(world: World, schedule_id: int) -> list[tuple[str, str, str, int]]:
    """The slots that did not fire: (reason, first, last, count), oldest first."""
    answer = await world.get(f"/schedules/{schedule_id}/slots", query={"per_page": 100})
    return [
        (r["reason"], r["first_at"][11:16], r["last_at"][11:16], r["count"]) for r in reversed(answer.data)
    ]


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-02T{text}+00:00")


async def test_catching_up_all_takes_the_slot_of_now_too(server: World):
    _, id = await scheduled(server, catch_up="all")
    server.clock.now += 3 * MINUTE + timedelta(seconds=18)
    await server.tick()
    assert len(await fired(server, id)) == 3
    assert await ranges(server, id) == []


async def test_what_passed_before_an_undeployment_was_missed(server: World):
    flow, id = await scheduled(server)
    await pass_minutes(server, 1)
    server.clock.now += 3 * MINUTE
    await server.put(flow.path, json={"deployed_at": None})
    await server.tick()
    assert await ranges(server, id) == [("missed", "10:02", "10:04", 3)]


async def test_each_slot_fires_once_at_its_time(server: World):
    _, id = await scheduled(server)
    server.clock.advance(seconds=59)
    assert await server.tick() == 0
    server.clock.advance(seconds=1)
    assert (await server.tick(), await server.tick()) == (1, 0)
    await server.work()
    await pass_minutes(server, 2)
    assert await fired(server) == [at("10:01"), at("10:02"), at("10:03")]
    [newest, *_] = (await server.get("/flow-runs")).data
    assert (newest["trigger"], newest["schedule_id"], newest["status"]) == ("Schedule", id, 2)
    assert await ranges(server, id) == []


@pytest.mark.parametrize(
    ("overlap", "times", "unfired"),
    [
        ("skip", ["10:01"], [("overlap", "10:02", "10:04", 3)]),
        ("queue", ["10:01", "10:02"], [("overlap", "10:03", "10:04", 2)]),
        ("allow", ["10:01", "10:02", "10:03", "10:04"], []),
    ],
)
async def test_overlap_while_a_run_goes_on(server: World, overlap, times, unfired):
    _, id = await scheduled(server, overlap=overlap)
    await pass_minutes(server, 1, work=False)
    started = update(tables.runs).values(status=run.Status.STARTED)
    await server.platform.database.write(lambda db: db.execute(started))
    await pass_minutes(server, 3, work=False)
    assert await fired(server) == [at(time) for time in times]
    assert await ranges(server, id) == unfired


@pytest.mark.parametrize(
    ("catch_up", "times", "unfired"),
    [
        ("none", ["10:11"], [("missed", "10:02", "10:10", 9)]),
        ("latest", ["10:11"], [("missed", "10:02", "10:10", 9)]),
        ("all", [f"10:{n:02}" for n in range(2, 12)], []),
    ],
)
async def test_catch_up_after_ten_minutes_down(server: World, catch_up, times, unfired):
    _, id = await scheduled(server, catch_up=catch_up, overlap="allow")
    await pass_minutes(server, 1)
    server.clock.advance(seconds=10 * 60 + 30)
    await server.tick()
    assert await fired(server) == [at("10:01"), *(at(time) for time in times)]
    assert await ranges(server, id) == unfired


@pytest.mark.parametrize(("catch_up", "count"), [("none", 0), ("latest", 1), ("all", 3)])
async def test_a_slot_later_than_the_grace_is_missed(server: World, catch_up, count):
    _, id = await scheduled(server, cron_string="0 * * * *", catch_up=catch_up, overlap="allow")
    server.clock.now = at("13:01") + timedelta(seconds=1)
    await server.tick()
    assert len(await fired(server)) == count
    assert sum(entry[3] for entry in await ranges(server, id)) == 3 - count


async def test_all_brings_a_thousand_at_most(server: World):
    _, id = await scheduled(server, catch_up="all", overlap="allow")
    server.clock.now += timedelta(minutes=1500)
    await server.tick()
    times = await fired(server)
    assert len(times) == 1000
    assert times[-1] == server.clock.now
    assert [(entry[0], entry[3]) for entry in await ranges(server, id)] == [("missed", 500)]


@pytest.mark.parametrize(("catch_up", "count"), [("latest", 1), ("all", 1000)])
async def test_a_backlog_of_weeks_is_settled_in_parts(server: World, catch_up, count, monkeypatch):
    monkeypatch.setattr(slots, "MAX_SLOTS", 2000)
    _, id = await scheduled(server, catch_up=catch_up, overlap="allow")
    server.clock.now += timedelta(minutes=4000, seconds=30)
    await server.tick()
    assert len(await fired(server)) == count
    assert [(entry[0], entry[3]) for entry in await ranges(server, id)] == [("missed", 4000 - count)]


async def test_a_disabled_flow_pauses_and_catches_nothing_up(server: World):
    flow, id = await scheduled(server, catch_up="all")
    await pass_minutes(server, 1)
    await server.put(f"/flows/{flow.id}", json={"is_enabled": False})
    await pass_minutes(server, 3)
    server.clock.now += 2 * MINUTE
    await server.put(f"/flows/{flow.id}", json={"is_enabled": True})
    await pass_minutes(server, 1)
    assert await fired(server) == [at("10:01"), at("10:07")]
    paused = await ranges(server, id)
    assert [entry[0] for entry in paused] == ["paused"] * len(paused)
    assert sum(entry[3] for entry in paused) == 5


async def test_deploying_again_counts_from_there(server: World):
    flow, id = await scheduled(server, catch_up="all")
    await pass_minutes(server, 1)
    await server.put(flow.path, json={"deployed_at": None})
    await pass_minutes(server, 5)
    await flow.deploy()
    await pass_minutes(server, 1)
    assert await fired(server) == [at("10:01"), at("10:07")]
    assert await ranges(server, id) == []


async def test_a_clock_set_back_fires_no_slot_twice_and_stalls_nothing(server: World):
    flow, id = await scheduled(server)
    _, other = await scheduled(server)
    await pass_minutes(server, 3)
    server.clock.now -= 2 * MINUTE
    await server.put(flow.path, json={"deployed_at": None})
    await flow.deploy()
    await pass_minutes(server, 4)
    assert await fired(server, id) == [at(f"10:0{n}") for n in range(1, 6)]
    assert await fired(server, other) == [at(f"10:0{n}") for n in range(1, 6)]


async def test_a_gap_is_kept_with_its_reason(server: World):
    server.clock.now = datetime(2026, 3, 28, 12, tzinfo=UTC)
    _, id = await scheduled(server, cron_string="30 2 * * *", timezone="Europe/Berlin", dst_gap="skip")
    server.clock.now = datetime(2026, 3, 30, 12, tzinfo=UTC)
    await server.tick()
    assert await fired(server) == [datetime(2026, 3, 30, 0, 30, tzinfo=UTC)]
    assert await ranges(server, id) == [("dst gap", "01:00", "01:00", 1)]


async def test_jitter_delays_a_slot_by_the_same_time_always(server: World):
    _, id = await scheduled(server, jitter_seconds=30)
    await pass_minutes(server, 10, work=False)
    found = select(RUNS.fire_at, RUNS.ready_at)
    rows = await server.platform.database.read(lambda db: db.execute(found).all())
    row = type("Row", (), {"id": id, "jitter_seconds": 30})()
    for fire_at, ready_at in rows:
        assert ready_at - fire_at == scheduler._jitter(row, fire_at)
        assert timedelta(0) <= ready_at - fire_at < timedelta(seconds=30)
    assert await server.server.duty.dispatcher.tick(at("10:01")) == 0


async def test_schedules_of_one_timetable_keep_their_own_rules(server: World):
    """They share the walk over its slots, but not what becomes of them, nor where a later one began."""
    _, first = await scheduled(server, overlap="allow", catch_up="all")
    server.clock.now = at("10:03") + timedelta(seconds=1)
    _, latest = await scheduled(server, overlap="allow", catch_up="latest")
    _, tokyo = await scheduled(server, overlap="allow", catch_up="all", timezone="Asia/Tokyo")
    server.clock.now = at("10:06") + timedelta(seconds=30)
    await server.tick()
    assert await fired(server, first) == [at(f"10:0{n}") for n in range(1, 7)]
    assert await fired(server, latest) == [at("10:06")]
    assert await ranges(server, latest) == [("missed", "10:04", "10:05", 2)]
    assert await fired(server, tokyo) == [at(f"10:0{n}") for n in range(4, 7)]


async def test_two_thousand_schedules_due_at_once(server: World):
    _, id = await scheduled(server)

    def add(connection):
        row = connection.execute(select(tables.schedules).where(tables.schedules.c.id == id)).one()._asdict()
        del row["id"]
        connection.execute(insert(tables.schedules), [row] * 1999)

    await server.platform.database.write(add)
    server.clock.now += MINUTE
    assert await server.tick() == 2000
    counted = select(func.count(), func.count(RUNS.schedule_id.distinct()))
    assert tuple(await server.platform.database.read(lambda db: db.execute(counted).one())) == (2000, 2000)


async def test_a_flow_that_is_being_changed_is_left_for_the_next_tick(server: World):
    if server.platform.database.is_sqlite:
        return  # one writer at a time
    flow, id = await scheduled(server)
    await scheduled(server)
    server.clock.now += MINUTE
    engine = server.platform.database._write_engine
    with engine.begin() as changing:
        changing.execute(select(tables.flows.c.id).where(tables.flows.c.id == flow.id).with_for_update())
        assert await server.tick() == 1
    assert await fired(server, id) == []
    assert await server.tick() == 1
    assert len(await fired(server)) == 2


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["up", "down", "enable", "disable", "deploy", "undeploy"]), st.integers(1, 200)
    ),
    min_size=3,
    max_size=10,
)
RULES = st.fixed_dictionaries(
    {
        "cron_string": st.sampled_from(["* * * * *", "*/7 * * * *", "30 2 * * *", "0,30 1-3 * * *"]),
        "overlap": st.sampled_from(["skip", "queue", "allow"]),
        "catch_up": st.sampled_from(["none", "latest", "all"]),
        "dst_gap": st.sampled_from(["skip", "next"]),
    }
)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(rules=RULES, actions=ACTIONS)
async def test_in_any_history_each_slot_fires_once_or_is_in_one_range(server: World, rules, actions):
    await server.platform.database.write(_forget_everything)
    server.clock.now = datetime(2026, 3, 28, 23, tzinfo=UTC)  # an hour before the clocks of Berlin change
    flow, id = await scheduled(server, timezone="Europe/Berlin", **rules)
    table = schedules.timetable({**rules, "timezone": "Europe/Berlin", "dst_repeat": "first"})
    counted, since = [], server.clock.now
    for action, minutes in actions:
        if action in ("up", "down"):
            for _ in range(min(minutes, 20) if action == "up" else 1):
                server.clock.now += MINUTE if action == "up" else minutes * MINUTE
                await server.tick()
        elif action in ("enable", "disable"):
            await server.put(f"/flows/{flow.id}", json={"is_enabled": action == "enable"})
        elif action == "undeploy" and since is not None:
            await server.put(flow.path, json={"deployed_at": None})
            counted.append((since, server.clock.now))
            since = None
        elif action == "deploy" and since is None:
            await flow.deploy()
            since = server.clock.now
    if since is not None:
        counted.append((since, server.clock.now))
    await _check(server, id, table, counted)


async def _check(server: World, id: int, table: Any, counted: list[tuple[datetime, datetime]]) -> None:
    due = [slot for begin, end in counted for slot in slots.passed(table, begin, end)]
    fires = await fired(server, id)
    stored = select(tables.schedule_slots).where(tables.schedule_slots.c.schedule_id == id)
    kept = await server.platform.database.read(lambda db: [row._asdict() for row in db.execute(stored)])
    assert len(fires) == len(set(fires))
    assert set(fires) <= {slot.at for slot in due if slot.fires}
    assert len(fires) + sum(entry["count"] for entry in kept) == len(due)
    for entry in kept:
        inside = [slot for slot in due if entry["first_at"] <= slot.at <= entry["last_at"]]
        within = [slot for slot in inside if not (slot.fires and slot.at in fires)]
        assert entry["count"] <= len(within)
        if entry["first_at"] < entry["last_at"]:
            assert not [at for at in fires if entry["first_at"] < at < entry["last_at"]]


def _forget_everything(connection: Any) -> None:
    for table in (tables.runs, tables.payloads, tables.schedule_slots, tables.schedules):
        connection.execute(delete(table))
