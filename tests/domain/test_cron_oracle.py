"""Timetable against an oracle that walks every minute of UTC and fires by the definition alone.

The days around every change of the clocks, and whole years. FLOWLOOM_ORACLE_YEARS=10 takes ten years of each.
"""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flowloom.domain import cron

YEARS = int(os.environ.get("FLOWLOOM_ORACLE_YEARS", "1"))
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

# A year in which the zone's clocks changed; the years after it follow when more are asked for.
ZONES = {
    "Africa/Cairo": 2025,
    "Africa/Casablanca": 2026,
    "America/Havana": 2025,
    "America/Los_Angeles": 2026,
    "America/New_York": 2026,
    "America/Santiago": 2026,
    "America/Sao_Paulo": 2018,
    "America/St_Johns": 2010,
    "Antarctica/Troll": 2026,
    "Asia/Beirut": 2026,
    "Asia/Gaza": 2026,
    "Asia/Kolkata": 2026,
    "Asia/Pyongyang": 2018,
    "Asia/Tehran": 2021,
    "Atlantic/Azores": 2026,
    "Australia/Lord_Howe": 2026,
    "Europe/Berlin": 2026,
    "Europe/Dublin": 2026,
    "Europe/Volgograd": 2018,
    "Pacific/Apia": 2011,
    "Pacific/Bougainville": 2014,
    "Pacific/Chatham": 2026,
    "Pacific/Norfolk": 2026,
    "UTC": 2026,
}
EXPRESSIONS = [
    "30 2 * * *",
    "0 0 * * *",
    "*/15 * * * *",
    "7 * * * *",
    "*/20 0-4,23 * * *",
    "15,45 */2 * * *",
    "0 3 1-7,25-31 * 0",
    "0 0 */2 * SUN",
    "30 1 L * *",
    "59 23 * * 6L",
]
FULL_YEAR = ["Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "America/St_Johns"]
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]

Fire = tuple[datetime, datetime, str | None, bool]
Minutes = list[tuple[datetime, datetime]]


def numbers(field: str, low: int, high: int, names: list[str]) -> set[int]:
    """The numbers a field of lists, ranges, steps and names stands for."""
    found: set[int] = set()
    for term in field.split(","):
        span, _, step = term.partition("/")
        first, _, last = span.partition("-")
        begin = low if first == "*" else names.index(first) + low if first in names else int(first)
        end = names.index(last) + low if last in names else int(last) if last else begin
        if first == "*" or (step and not last):
            end = high
        found.update(range(begin, end + 1, int(step or 1)))
    return found


def day_rule(days: str, months: str, weekdays: str) -> Callable[[date], bool]:
    named_months = numbers(months, 1, 12, MONTHS)
    both = days.startswith("*") or weekdays.startswith("*")

    def is_named_day(day: date) -> bool:
        return any(
            (day + DAY).day == 1 if term == "L" else day.day in numbers(term, 1, 31, [])
            for term in days.split(",")
        )

    def is_named_weekday(day: date) -> bool:
        weekday = day.isoweekday() % 7
        for term in weekdays.split(","):
            which, nth, count = term.partition("#")
            last = which.removesuffix("L")
            if weekday in {number % 7 for number in numbers(last, 0, 7, WEEKDAYS)} and (
                (last == which or (day + 7 * DAY).month != day.month)
                and (not nth or (day.day - 1) // 7 + 1 == int(count))
            ):
                return True
        return False

    @functools.cache
    def falls(day: date) -> bool:
        if day.month not in named_months:
            return False
        if both:
            return is_named_day(day) and is_named_weekday(day)
        return is_named_day(day) or is_named_weekday(day)

    return falls


def matcher(expression: str) -> Callable[[datetime], bool]:
    minute, hour, *day_fields = expression.split()
    minutes, hours, falls = numbers(minute, 0, 59, []), numbers(hour, 0, 23, []), day_rule(*day_fields)
    return lambda local: local.minute in minutes and local.hour in hours and falls(local.date())


def walk(zone: str, begin: datetime, end: datetime) -> Minutes:
    """Every minute as (instant, wall time)."""
    clock = cron.zone(zone)
    count = (end - begin) // MINUTE
    instants = (begin + n * MINUTE for n in range(count))
    return [(at, at.astimezone(clock).replace(tzinfo=None, fold=0)) for at in instants]


def oracle(expression: str, minutes: Minutes, gap: str, repeat: str) -> list[Fire]:
    """What must happen in these minutes, which begin and end far from a change of the clocks."""
    matches = matcher(expression)
    interval = numbers(expression.split()[1], 0, 23, []) == set(range(24))
    twice = repeated(minutes)
    passed: set[datetime] = set()
    fires: list[Fire] = []
    for (_, previous), (at, local) in itertools.pairwise(minutes):
        missing = [] if interval else list(filter(matches, between(previous, local)))
        if missing and gap == "next":
            fires.append((at, missing[0], "gap_moved", True))
        else:
            fires += [(at, lost, "gap_skipped", False) for lost in missing]
        if not matches(local) or (missing and gap == "next"):
            continue
        note = None
        if local in twice:
            note = "second" if local in passed else "first"
            passed.add(local)
        if note is None or interval or repeat in (note, "both"):
            fires.append((at, local, note and f"repeat_{note}", True))
    return fires


def between(previous: datetime, local: datetime) -> Iterator[datetime]:
    """The minutes the wall clock left out."""
    while (previous := previous + MINUTE) < local:
        yield previous


def repeated(minutes: Minutes) -> set[datetime]:
    """The wall times the clock went back over."""
    back: set[datetime] = set()
    for (_, previous), (_, local) in itertools.pairwise(minutes):
        if local <= previous:
            back.update(local + n * MINUTE for n in range((previous - local) // MINUTE + 1))
    return back


def actual(expression: str, zone: str, minutes: Minutes, gap: str, repeat: str) -> list[Fire]:
    timetable = cron.Timetable(cron.parse(expression), cron.zone(zone), gap, repeat)  # type: ignore[arg-type]
    begin, end = minutes[0][0], minutes[-1][0]
    slots = itertools.takewhile(lambda slot: slot.at <= end, timetable.slots(begin))
    return [(slot.at, slot.local, slot.note, slot.fires) for slot in slots]


@functools.cache
def changes(zone: str) -> tuple[datetime, ...]:
    """The hours of the zone's years in which its offset changed."""
    clock = cron.zone(zone)
    begin = datetime(ZONES[zone], 1, 1, tzinfo=UTC)
    hours = [begin + n * HOUR for n in range(YEARS * 366 * 24)]
    offsets = [at.astimezone(clock).utcoffset() for at in hours]
    return tuple(at for at, old, new in zip(hours, offsets, offsets[1:], strict=False) if old != new)


@functools.lru_cache(maxsize=64)
def days_around(zone: str, change: datetime) -> Minutes:
    return walk(zone, change - 2 * DAY, change + 2 * DAY)


WINDOWS = [(zone, change) for zone in ZONES for change in changes(zone)]


@pytest.mark.parametrize("zone", [zone for zone in ZONES if changes(zone)])
def test_the_days_around_every_change(zone: str) -> None:
    for change, expression in itertools.product(changes(zone), EXPRESSIONS):
        minutes = days_around(zone, change)
        for gap, repeat in (("next", "first"), ("skip", "second"), ("next", "both")):
            expected = oracle(expression, minutes, gap, repeat)
            assert actual(expression, zone, minutes, gap, repeat) == expected, (expression, gap, repeat)


@pytest.mark.parametrize("zone", FULL_YEAR)
def test_whole_years(zone: str) -> None:
    for year in range(ZONES[zone], ZONES[zone] + YEARS):
        minutes = walk(zone, datetime(year, 1, 5, tzinfo=UTC), datetime(year + 1, 1, 5, tzinfo=UTC))
        for expression in ("30 2 13 * 5", "*/15 0-3 */3 * 1-5"):
            expected = oracle(expression, minutes, "next", "both")
            assert actual(expression, zone, minutes, "next", "both") == expected


def terms(low: int, high: int) -> st.SearchStrategy[str]:
    value = st.integers(low, high)
    span = (
        st.tuples(value, value)
        .filter(lambda ends: ends[0] < ends[1])
        .map(lambda ends: f"{ends[0]}-{ends[1]}")
    )
    step = st.integers(1, 7).map(lambda n: f"/{n}")
    stepped = st.tuples(st.one_of(st.just("*"), value.map(str), span), step).map("".join)
    return st.one_of(value.map(str), span, stepped)


def field(low: int, high: int, *others: str) -> st.SearchStrategy[str]:
    some = st.lists(terms(low, high), min_size=1, max_size=3).map(",".join)
    return st.one_of(st.just("*"), some, st.sampled_from(others)) if others else st.one_of(st.just("*"), some)


expressions = st.tuples(
    field(0, 59),
    st.one_of(field(0, 4), field(0, 23), st.just("23")),
    st.one_of(st.just("*"), field(1, 31, "L", "1,L")),
    st.sampled_from(["*", "*/1", "1-12", "JAN-DEC", "MAR,APR,SEP-NOV", "2,3/2"]),
    st.one_of(st.just("*"), field(0, 7, "SUN", "MON-FRI", "SAT,7", "0L", "SUN#1", "5#5,6L")),
).map(" ".join)


@settings(max_examples=250 * YEARS, deadline=None, derandomize=True)
@given(
    expression=expressions,
    window=st.sampled_from(WINDOWS),
    gap=st.sampled_from(["skip", "next"]),
    repeat=st.sampled_from(["first", "second", "both"]),
    begin=st.integers(0, 4 * 24 * 60 - 2),
)
@example("* 2 * * *", ("Europe/Berlin", changes("Europe/Berlin")[1]), "next", "both", 2 * 24 * 60 + 20)
def test_any_expression_from_any_minute(
    expression: str, window: tuple[str, datetime], gap: str, repeat: str, begin: int
) -> None:
    zone, minutes = window[0], days_around(*window)
    after = minutes[begin][0]
    expected = [fire for fire in oracle(expression, minutes, gap, repeat) if fire[0] > after]
    assert actual(expression, zone, minutes[begin:], gap, repeat) == expected
