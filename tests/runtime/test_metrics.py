"""Metrics: what happened is what is counted, folded or not, at every interval."""

from __future__ import annotations

import math
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.world import Flow, World

from flowloom.domain import sketch
from flowloom.runtime import rollup
from flowloom.services import metrics
from flowloom.store import journal

INTERVALS = ("minute", "hour", "day", "week", "month")


@given(st.lists(st.floats(0.01, 1e7), min_size=1, max_size=300))
def test_quantiles_are_right_within_five_percent(durations):
    buckets = Counter(sketch.key(duration) for duration in durations)
    ordered = sorted(durations)
    for share in (0.5, 0.95, 0.99):
        exact = ordered[math.ceil(share * len(ordered)) - 1]
        assert abs(sketch.quantile(buckets, share) - exact) <= 0.05 * exact


def test_the_high_quantiles_of_a_few_are_the_slowest():
    """One slow run of five is what p95 and p99 are looked at for."""
    buckets = Counter(sketch.key(duration) for duration in (10, 10, 10, 10, 5000))
    assert sketch.quantile(buckets, 0.5) == pytest.approx(10, rel=0.05)
    assert [sketch.quantile(buckets, share) for share in (0.95, 0.99)] == [pytest.approx(5000, rel=0.05)] * 2


def test_no_durations_have_no_quantile():
    assert sketch.quantile({}, 0.5) == 0.0
    assert sketch.is_bucket(sketch.key(0.0))


async def shown(world: World, flow: Flow, **filters: str):
    query = {f"filter[{name}]": value for name, value in filters.items()}
    query.setdefault("filter[from]", "2025-12-01T00:00:00Z")
    found, page = [], 1
    while True:
        answer = await world.get(
            f"/flows/{flow.id}/version-metrics", query={**query, "per_page": 100, "page": page}
        )
        found += answer.data
        if answer.json()["meta"]["last_page"] <= page:
            return found
        page += 1


async def spread(world: World, flow: Flow, count: int = 60) -> dict[datetime, list[float]]:
    """Ends of runs over three months, as the journal counts them: durations by minute."""
    dice, happened = random.Random(3), {}
    ends = []
    for number in range(count):
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=dice.randrange(90 * 86400))
        duration = dice.lognormvariate(5, 2)
        happened.setdefault(at.replace(second=0, microsecond=0), []).append(duration)
        counted = {("duration", sketch.key(duration)): 1, ("duration", "total_us"): round(duration * 1000)}
        ends.append(
            journal.End(
                run_id=number,
                fence=1,
                flow_id=flow.id,
                version_id=flow.version_id,
                iteration=1,
                status=2,
                at=at,
                has_warnings=False,
                summary={},
                metrics=counted,
            )
        )
    await world.platform.database.write(journal.add_metrics, ends)
    return happened


async def test_every_interval_is_the_same_before_and_after_folding(server: World):
    flow = await server.flow()
    happened = await spread(server, flow)
    before = {interval: await shown(server, flow, interval=interval) for interval in INTERVALS}
    assert await server.server.loops.rollup.tick(server.clock.now) > 0
    assert await server.server.loops.rollup.tick(server.clock.now) == 0
    for interval in INTERVALS:
        assert await shown(server, flow, interval=interval) == before[interval]
        groups: dict[str, list[float]] = {}
        for minute, durations in happened.items():
            begin = metrics.begin_of(interval, minute).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            groups.setdefault(begin, []).extend(durations)
        counts = {m["starts_at"]: m["value"] for m in before[interval] if m["key"] == "success"}
        assert counts == {begin: len(durations) for begin, durations in groups.items()}
        for metric in before[interval]:
            if metric["key"] in metrics.QUANTILES:
                ordered = sorted(groups[metric["starts_at"]])
                exact = ordered[math.ceil(metrics.QUANTILES[metric["key"]] * len(ordered)) - 1]
                assert metric["value"] == pytest.approx(exact, rel=0.05)


@pytest.mark.parametrize("interval", ["week", "month"])
async def test_an_interval_counts_whole_though_the_question_ends_inside_it(server: World, interval: str):
    flow = await server.flow()
    await spread(server, flow)
    whole = await shown(server, flow, interval=interval)
    last = max(metric["starts_at"] for metric in whole)
    ends = (datetime.fromisoformat(last) + timedelta(seconds=1)).isoformat().replace("+00:00", "Z")
    for _ in range(2):
        assert await shown(server, flow, interval=interval, to=ends) == whole
        await server.server.loops.rollup.tick(server.clock.now)


async def test_half_folded_is_the_same_too(server: World, monkeypatch):
    monkeypatch.setattr(rollup, "BATCH", 50)
    flow = await server.flow()
    await spread(server, flow)
    before = await shown(server, flow, interval="week")
    for _ in range(2):
        await server.platform.database.write_grouped(rollup.fold)
        assert await shown(server, flow, interval="week") == before


async def test_a_fold_that_dies_leaves_everything(server: World):
    flow = await server.flow()
    await spread(server, flow)
    before = await shown(server, flow)

    def fold_and_die(connection):
        rollup.fold(connection)
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        await server.platform.database.write_grouped(fold_and_die)
    assert await shown(server, flow) == before


async def test_ids_are_stable_and_unique(server: World):
    flow = await server.flow()
    await spread(server, flow)
    found = [m for interval in INTERVALS for m in await shown(server, flow, interval=interval)]
    assert len({metric["id"] for metric in found}) == len(found)
    assert all(0 < metric["id"] < 2**53 for metric in found)
    await server.server.loops.rollup.tick(server.clock.now)
    again = [m for interval in INTERVALS for m in await shown(server, flow, interval=interval)]
    assert [metric["id"] for metric in again] == [metric["id"] for metric in found]


async def test_a_list_sorted_by_id_is(server: World):
    flow = await server.flow()
    await spread(server, flow, count=8)
    asked = {"filter[from]": "2025-12-01T00:00:00Z", "filter[interval]": "minute,day", "per_page": 100}
    for sort, is_turned in (("id", False), ("-id", True)):
        answer = await server.get(f"/flows/{flow.id}/version-metrics", query={**asked, "sort": sort})
        ids = [metric["id"] for metric in answer.data]
        assert len(ids) > 8
        assert ids == sorted(ids, reverse=is_turned)


async def test_filters_narrow(server: World):
    flow = await server.flow()
    await spread(server, flow)
    everything = await shown(server, flow)
    assert await shown(server, flow, type="runs", key="success") == [
        m for m in everything if m["type"] == "runs"
    ]
    limits = {"from": "2026-02-01T00:00:00Z", "to": "2026-03-01T00:00:00Z"}
    february = [m for m in everything if "2026-02-01" <= m["starts_at"][:10] < "2026-03-01"]
    assert await shown(server, flow, **limits) == february
    assert await shown(server, flow, flow_version_id="999") == []


async def test_counts_are_those_of_the_runs_that_happened(server: World):
    good = {"microservice": "manual-payload", "config": {"body": {}}}
    bad = {"microservice": "batch", "config": {"size": 1}}
    flow = await server.flow(good, bad)
    statuses = [(await flow.run({"n": n}))["status"] for n in range(3)]
    fine = await server.flow(good)
    statuses += [(await fine.run({"n": n}))["status"] for n in range(4)]
    assert Counter(statuses) == {3: 3, 2: 4}
    counted = {m["key"]: m["value"] for m in await shown(server, flow, type="runs")}
    assert counted == {"started": 3, "failure": 3}
    by_key = {(m["type"], m["key"]): m["value"] for m in await shown(server, fine)}
    assert (by_key["runs", "started"], by_key["runs", "success"], by_key["duration", "count"]) == (4, 4, 4)
    assert by_key["payloads", "received"] == 4


async def test_the_quantiles_of_a_time_are_those_of_all_its_runs(server: World):
    flow = await server.flow()
    happened = await spread(server, flow)
    inside = {at: took for at, took in happened.items() if at >= datetime(2026, 2, 1, tzinfo=UTC)}
    ordered = sorted(duration for durations in inside.values() for duration in durations)
    path, query = f"/flows/{flow.id}/version-results", {"filter[from]": "2026-02-01T13:00:00Z"}
    for _ in range(2):
        [result] = (await server.get(path, query=query)).data
        assert (result["id"], result["iteration"]) == (flow.version_id, 1)
        assert (result["success"], result["failure"]) == (len(ordered), 0)
        for name, share in metrics.QUANTILES.items():
            exact = ordered[math.ceil(share * len(ordered)) - 1]
            assert result[name] == pytest.approx(exact, rel=0.025)
        await server.server.loops.rollup.tick(server.clock.now)


async def test_what_did_not_run_in_a_time_has_no_result_in_it(server: World):
    flow = await server.flow()
    await spread(server, flow, count=8)
    path = f"/flows/{flow.id}/version-results"
    assert (await server.get(path, query={"filter[to]": "2025-12-01T00:00:00Z"})).data == []
    assert (await server.get(path, query={"filter[flow_version_id]": "999"})).data == []
    assert (await server.get("/flows/999/version-results")).status == 404
