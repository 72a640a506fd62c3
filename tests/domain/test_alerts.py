"""What is told of a flow: each failure, one recovery after it, one silence and its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from flowloom.domain import alerts
from flowloom.domain.alerts import Event
from flowloom.domain.run import Status

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
ALL: dict[str, Any] = {
    "on_failure": True,
    "on_partial": False,
    "on_recovery": True,
    "on_zero_records": True,
    "silent_after_minutes": 60,
}
ENDS = st.sampled_from([Status.SUCCESS, Status.FAILURE, Status.PARTIAL, Status.STOPPED])


def told(wanted: dict[str, Any], statuses: list[Status]) -> list[tuple[Event, ...]]:
    state: dict[str, Any] = {}
    events = []
    for run_id, status in enumerate(statuses, 1):
        judged = alerts.after_end(wanted, state, run_id, status, is_empty=False)
        events.append(judged.events)
        state = judged.state
    return events


@given(st.lists(ENDS))
def test_a_recovery_is_told_once_after_failures_that_were_told(statuses: list[Status]) -> None:
    failing = False
    for status, events in zip(statuses, told(ALL, statuses), strict=True):
        if status is Status.FAILURE:
            assert events == (Event.FAILURE,)
            failing = True
        elif status is Status.SUCCESS:
            assert events == ((Event.RECOVERY,) if failing else ())
            failing = False
        else:
            assert events == ()


@given(st.lists(ENDS))
def test_what_nobody_wants_is_not_told(statuses: list[Status]) -> None:
    assert not any(told({**ALL, "on_failure": False}, statuses))
    quiet = told({**ALL, "on_recovery": False}, statuses)
    assert {event for events in quiet for event in events} <= {Event.FAILURE}


def test_a_partial_success_is_a_failure_when_asked_for() -> None:
    wanted = {**ALL, "on_failure": False, "on_partial": True}
    statuses = [Status.PARTIAL, Status.PARTIAL, Status.FAILURE, Status.SUCCESS]
    assert told(wanted, statuses) == [(Event.FAILURE,), (Event.FAILURE,), (), (Event.RECOVERY,)]


def test_only_a_success_is_empty() -> None:
    for status in Status:
        judged = alerts.after_end(ALL, {}, 1, status, is_empty=True)
        assert (Event.ZERO_RECORDS in judged.events) is (status is Status.SUCCESS)


def in_time(
    state: dict[str, Any], started_at: datetime | None, now: datetime, **wanted: Any
) -> alerts.Judged:
    return alerts.in_time({**ALL, **wanted}, state, deployed_at=NOW, started_at=started_at, now=now)


@given(st.lists(st.integers(0, 300), max_size=12), st.integers(1, 400))
def test_every_silence_is_told_once(starts: list[int], until: int) -> None:
    """Looked at each minute; the oracle counts the gaps of an hour between starts."""
    instants = sorted(NOW + timedelta(minutes=minute) for minute in starts)
    state: dict[str, Any] = {}
    events: list[Event] = []
    for minute in range(until):
        now = NOW + timedelta(minutes=minute)
        started = max((at for at in instants if at <= now), default=None)
        judged = in_time(state, started, now)
        state, events = judged.state, [*events, *judged.events]
    end = NOW + timedelta(minutes=until - 1)
    seen = [NOW, *(at for at in instants if at <= end)]
    gaps = [b - a for a, b in zip(seen, [*seen[1:], end], strict=True)]
    # A gap that a start ends just after an hour was told before the start was seen.
    long = [gap for gap in gaps[:-1] if gap > timedelta(hours=1)]
    open_ = [gap for gap in gaps[-1:] if gap >= timedelta(hours=1)]
    assert events.count(Event.SILENCE) == len(long) + len(open_)
    assert events.count(Event.RETURN) == len(long)


def test_enabling_again_is_no_return() -> None:
    silent = in_time({}, None, NOW + timedelta(hours=2)).state
    later = NOW + timedelta(hours=5)
    watched = alerts.watched_from(silent, later)
    assert in_time(watched, None, later + timedelta(minutes=59)).events == ()
    assert in_time(watched, None, later + timedelta(minutes=60)).events == (Event.SILENCE,)


def test_a_deployment_ends_a_silence_without_a_word() -> None:
    state = {"silent_since": (NOW - timedelta(hours=3)).isoformat()}
    assert in_time(state, None, NOW) == alerts.Judged((), {})


def test_without_a_limit_there_is_no_silence() -> None:
    assert in_time({}, None, NOW + timedelta(days=300), silent_after_minutes=None).events == ()
