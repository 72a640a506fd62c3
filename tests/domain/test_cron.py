"""Cron: what is accepted, what is refused and why, and the days on which clocks change."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from flowloom import errors
from flowloom.domain import cron


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def timetable(expression: str, zone: str = "UTC", gap: str = "next", repeat: str = "first") -> cron.Timetable:
    return cron.Timetable(cron.parse(expression), cron.zone(zone), gap, repeat)  # type: ignore[arg-type]


def shown(slot: cron.Slot) -> str:
    return f"{slot.at:%m-%d %H:%M} {slot.note or '-'}{'' if slot.fires else ' no'}"


def refusal(expression: object) -> list[str]:
    with pytest.raises(errors.Invalid) as caught:
        cron.parse(expression)  # type: ignore[arg-type]
    assert list(caught.value.errors) == ["cron_string"]
    return caught.value.errors["cron_string"]


@pytest.mark.parametrize(
    ("expression", "following"),
    [
        ("* * * * *", ["2024-01-31 23:58", "2024-01-31 23:59", "2024-02-01 00:00"]),
        ("*/20 9-10 * * *", ["2024-02-01 09:00", "2024-02-01 09:20", "2024-02-01 09:40", "2024-02-01 10:00"]),
        ("5/25 0 * * *", ["2024-02-01 00:05", "2024-02-01 00:30", "2024-02-01 00:55", "2024-02-02 00:05"]),
        ("0 0 29 2 *", ["2024-02-29 00:00", "2028-02-29 00:00"]),
        ("0 0 13 * 5", ["2024-02-02 00:00", "2024-02-09 00:00", "2024-02-13 00:00", "2024-02-16 00:00"]),
        ("0 0 */13 * 5", ["2024-03-01 00:00", "2024-06-14 00:00"]),
        ("0 0 * * 7", ["2024-02-04 00:00", "2024-02-11 00:00"]),
        ("0 0 1 jan-mar mon", ["2024-02-01 00:00", "2024-02-05 00:00"]),
        ("0 6 L * *", ["2024-02-29 06:00", "2024-03-31 06:00"]),
        ("0 6 LW * *", ["2024-02-29 06:00", "2024-03-29 06:00"]),
        ("0 6 * * 5L", ["2024-02-23 06:00", "2024-03-29 06:00"]),
        ("0 6 * * TUE#2", ["2024-02-13 06:00", "2024-03-12 06:00"]),
    ],
)
def test_the_following_fires(expression: str, following: list[str]) -> None:
    slots = timetable(expression).slots(instant("2024-01-31 23:57:30"))
    assert [f"{slot.at:%Y-%m-%d %H:%M}" for slot in itertools.islice(slots, len(following))] == following


def test_whitespace_is_normalised() -> None:
    assert cron.parse(" \t0  2 * *\n1-5 ").expression == "0 2 * * 1-5"
    assert cron.parse("0  2 * * 1-5") == cron.parse("0 2 * * 1-5")


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("61 * * * *", "Minute field '61' is not valid; use 0-59, *, lists, ranges and steps."),
        ("* 24 * * *", "Hour field '24' is not valid; use 0-23, "),
        ("* * 0 * *", "Day-of-month field '0' is not valid; use 1-31, L (last day), LW (last weekday), "),
        ("* * 15W * *", "Day-of-month field '15W' "),
        ("* * L/2 * *", "Day-of-month field 'L/2' "),
        ("* * * 13 *", "Month field '13' is not valid; use 1-12, JAN-DEC, "),
        ("* * * * 8", "Day-of-week field '8' is not valid; use 0-7 (0 and 7 are Sunday), SUN-SAT, "),
        ("* * * * FRI-MON", "Day-of-week field 'FRI-MON' "),
        ("* * * * MON#6", "Day-of-week field 'MON#6' "),
        ("* * ? * *", "Day-of-month field '?' "),
        ("*/0 * * * *", "Minute field '*/0' "),
        ("5-5/10 * * * *", "Minute field '5-5/10' "),
        ("1, * * * *", "Minute field '1,' "),
        ("-1 * * * *", "Minute field '-1' "),
        ("\x00 * * * *", r"Minute field '\x00' "),
        ("* * * * \ud800", r"Day-of-week field '\ud800' "),
        ("* * * * ſUN", "Day-of-week field 'ſUN' "),
        ("٣ * * * *", "Minute field '٣' "),
    ],
)
def test_a_bad_field_is_named_with_what_is_allowed(expression: str, allowed: str) -> None:
    (message,) = refusal(expression)
    assert message.startswith(allowed)


def test_every_bad_field_is_named() -> None:
    assert [message.split()[0] for message in refusal("60 24 * JAN x")] == ["Minute", "Hour", "Day-of-week"]


@pytest.mark.parametrize(
    ("expression", "part"),
    [
        ("", "is empty; write five fields"),
        (" \t ", "is empty; write five fields"),
        ("* * * *", "five fields, not 4"),
        ("0 * * * * *", "five fields, not 6"),
        ("0 * * * * * 2026", "five fields, not 7"),
        ("@daily", "'@daily' are not supported; write '0 0 * * *'."),
        ("@reboot", "'@reboot' are not supported; write five fields"),
        ("0," * 127 + "00 * * * *", "over 255 characters"),
        (None, "is text of five fields"),
        (5, "is text of five fields"),
        (["*"] * 5, "is text of five fields"),
        ({}, "is text of five fields"),
        ("0 0 31 2 *", "'0 0 31 2 *' never fires"),
        ("0 0 30,31 2 *", "never fires"),
        ("0 0 31 4,6,9,11 *", "never fires"),
        ("0 0 */31 * MON#5", "never fires"),
    ],
)
def test_what_is_no_schedule_is_refused_with_the_way_out(expression: object, part: str) -> None:
    (message,) = refusal(expression)
    assert part in message


@pytest.mark.parametrize(
    "name", ["UTC", "Europe/Berlin", "America/Argentina/Ushuaia", "Etc/GMT+5", "EST5EDT"]
)
def test_zones_of_the_iana_database(name: str) -> None:
    assert cron.zone(name).key == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Mars/Olympus",
        "europe/berlin",
        "Europe/Berlin ",
        "Europe",
        "../../etc/passwd",
        "/etc/localtime",
        "Europe/../Europe/Berlin",
        "posix/Europe/Berlin",
        "right/UTC",
        "zone.tab",
        "localtime",
        "+02:00",
        "UTC\x00",
        "\ud800",
        "x" * 100_000,
        None,
        0,
        [],
        {},
        b"UTC",
    ],
)
def test_what_is_no_zone_is_invalid(name: object) -> None:
    with pytest.raises(errors.Invalid, match="use an IANA name such as 'Europe/Berlin'") as caught:
        cron.zone(name)  # type: ignore[arg-type]
    assert list(caught.value.errors) == ["timezone"]
    assert len(caught.value.message) < 200


QUARTERS = [
    f"10-25 {h:02}:{m:02} repeat_{n}" for h, n in ((0, "first"), (1, "second")) for m in (0, 15, 30, 45)
]


@pytest.mark.parametrize(
    ("zone", "expression", "gap", "window", "expected"),
    [
        # 02:00 becomes 03:00 at 01:00 UTC
        ("Europe/Berlin", "30 2 * * *", "next", "2026-03-29", ["03-29 01:00 gap_moved"]),
        ("Europe/Berlin", "30 2 * * *", "skip", "2026-03-29", ["03-29 01:00 gap_skipped no"]),
        ("Europe/Berlin", "*/30 2 * * *", "next", "2026-03-29", ["03-29 01:00 gap_moved"]),
        ("Europe/Berlin", "*/30 2 * * *", "skip", "2026-03-29", ["03-29 01:00 gap_skipped no"] * 2),
        ("Europe/Berlin", "0 2-4 * * *", "next", "2026-03-29", ["03-29 01:00 gap_moved", "03-29 02:00 -"]),
        (
            "Europe/Berlin",
            "0 2-4 * * *",
            "skip",
            "2026-03-29",
            ["03-29 01:00 gap_skipped no", "03-29 01:00 -", "03-29 02:00 -"],
        ),
        ("Europe/Berlin", "0 3 * * *", "skip", "2026-03-29", ["03-29 01:00 -"]),
        # an hour later, and every hour
        ("America/New_York", "30 2 8 3 *", "next", "2026-03-08", ["03-08 07:00 gap_moved"]),
        ("America/St_Johns", "30 2 * * *", "next", "2026-03-08", ["03-08 05:30 gap_moved"]),
        ("Europe/Dublin", "30 1 * * *", "next", "2026-03-29", ["03-29 01:00 gap_moved"]),
        ("Africa/Casablanca", "30 2 * * *", "next", "2026-03-22", ["03-22 02:00 gap_moved"]),
        # half an hour, 45 minutes past, two hours
        ("Australia/Lord_Howe", "15 2 4 * *", "next", "2026-10-03", ["10-03 15:30 gap_moved"]),
        ("Australia/Lord_Howe", "30 2 4 * *", "next", "2026-10-03", ["10-03 15:30 -"]),
        ("Pacific/Chatham", "0 3 * * *", "next", "2026-09-26", ["09-26 14:00 gap_moved"]),
        ("Antarctica/Troll", "30 1,2 29 * *", "next", "2026-03-29", ["03-29 01:00 gap_moved"]),
        # at midnight
        ("America/Sao_Paulo", "0 0 * * *", "next", "2018-11-04", ["11-04 03:00 gap_moved"]),
        ("America/Sao_Paulo", "0 0 * * *", "skip", "2018-11-04", ["11-04 03:00 gap_skipped no"]),
        ("Africa/Cairo", "0 0 * * *", "next", "2026-04-23", ["04-23 22:00 gap_moved"]),
        ("Asia/Beirut", "59 0 * * *", "next", "2026-03-28", ["03-28 22:00 gap_moved"]),
        # a whole day: there was no 30 December
        ("Pacific/Apia", "0 9 30 12 *", "next", "2011-12-30", ["12-30 10:00 gap_moved"]),
        ("Pacific/Apia", "0 9 30 12 *", "skip", "2011-12-30", ["12-30 10:00 gap_skipped no"]),
        ("Pacific/Apia", "0 0 * * *", "next", "2011-12-30", ["12-30 10:00 gap_moved"]),
        ("Pacific/Apia", "0 12 * * *", "next", "2011-12-30", ["12-30 10:00 gap_moved", "12-30 22:00 -"]),
    ],
)
def test_a_local_time_that_does_not_exist(
    zone: str, expression: str, gap: str, window: str, expected: list[str]
) -> None:
    assert on_the_day(timetable(expression, zone, gap=gap), window) == expected


@pytest.mark.parametrize(
    ("zone", "expression", "window", "first", "second"),
    [
        ("Europe/Berlin", "30 2 * * *", "2026-10-25", "10-25 00:30", "10-25 01:30"),
        ("Europe/Berlin", "0 2 * * *", "2026-10-25", "10-25 00:00", "10-25 01:00"),
        ("America/New_York", "59 1 * * *", "2026-11-01", "11-01 05:59", "11-01 06:59"),
        ("Europe/Dublin", "30 1 * * *", "2026-10-25", "10-25 00:30", "10-25 01:30"),
        ("Africa/Casablanca", "30 2 * * *", "2026-02-15", "02-15 01:30", "02-15 02:30"),
        ("Australia/Lord_Howe", "45 1 5 * *", "2026-04-04", "04-04 14:45", "04-04 15:15"),
        ("Pacific/Chatham", "0 3 * * *", "2026-04-04", "04-04 13:15", "04-04 14:15"),
        ("Antarctica/Troll", "30 2 * * *", "2026-10-25", "10-25 00:30", "10-25 02:30"),
        # the hour before midnight, on the day that ends; in St. John's from one past midnight, so 00:00 too
        ("America/Sao_Paulo", "30 23 17 2 *", "2018-02-18", "02-18 01:30", "02-18 02:30"),
        ("Africa/Cairo", "30 23 * * THU", "2026-10-29", "10-29 20:30", "10-29 21:30"),
        ("America/St_Johns", "0 0 * * *", "2010-11-07", "11-07 02:30", "11-07 03:30"),
    ],
)
def test_a_local_time_that_comes_twice(
    zone: str, expression: str, window: str, first: str, second: str
) -> None:
    expected = {
        "first": [f"{first} repeat_first"],
        "second": [f"{second} repeat_second"],
        "both": [f"{first} repeat_first", f"{second} repeat_second"],
    }
    for repeat, slots in expected.items():
        assert on_the_day(timetable(expression, zone, repeat=repeat), window) == slots


@pytest.mark.parametrize("repeat", ["first", "second", "both"])
@pytest.mark.parametrize("gap", ["next", "skip"])
def test_an_expression_of_every_hour_keeps_its_interval(gap: str, repeat: str) -> None:
    for expression in ("*/15 * * * *", "*/15 */1 * * *", "0-59/15 0-23 * * *"):
        berlin = timetable(expression, "Europe/Berlin", gap, repeat)
        fires = [slot.at for slot in cron.preview(berlin, instant("2026-03-28 12:00"), 200)]
        fires += [slot.at for slot in cron.preview(berlin, instant("2026-10-24 12:00"), 200)]
        steps = {later - earlier for earlier, later in itertools.pairwise(fires)} - {fires[200] - fires[199]}
        assert steps == {timedelta(minutes=15)}
        assert [shown(s) for s in cron.preview(berlin, instant("2026-10-24 23:59"), 8)] == QUARTERS


def test_two_passes_come_one_after_the_other() -> None:
    both = timetable("*/15 2 * * *", "Europe/Berlin", repeat="both")
    assert on_the_day(both, "2026-10-25") == QUARTERS


def test_from_within_a_repeated_hour() -> None:
    both = timetable("0,30 2 25 10 *", "Europe/Berlin", repeat="both")
    slots = [slot.at for slot in cron.preview(both, instant("2026-10-24 00:00"), 5)]
    for after in slots[:-1]:
        assert both.next(after) == slots[slots.index(after) + 1]
        assert both.next(after - timedelta(microseconds=1)) == after
    assert timetable("0 2 * * *", "Europe/Berlin").next(instant("2026-10-25 00:00")) == instant(
        "2026-10-26 01:00"
    )


def test_a_slot_tells_wall_time_and_offset() -> None:
    berlin = timetable("30 2 * * *", "Europe/Berlin")
    moved = next(berlin.slots(instant("2026-03-28 12:00")))
    assert moved.at == instant("2026-03-29 01:00")
    assert moved.at.tzinfo is UTC
    assert moved.local.isoformat() == "2026-03-29T02:30:00"
    assert moved.offset == timedelta(hours=2)
    assert next(berlin.slots(moved.at)).offset == timedelta(hours=2)


def test_after_may_be_in_any_zone_but_not_naive() -> None:
    after = instant("2026-05-01 07:00").astimezone(cron.zone("Asia/Tokyo"))
    assert timetable("0 9 * * *", "Europe/Berlin").next(after) == instant("2026-05-02 07:00")
    with pytest.raises(TypeError):
        timetable("0 9 * * *").next(after.replace(tzinfo=None))


def test_preview_shows_skipped_slots_between_the_fires() -> None:
    berlin = timetable("30 2 * * *", "Europe/Berlin", gap="skip")
    assert [shown(slot) for slot in cron.preview(berlin, instant("2026-03-27 12:00"), 2)] == [
        "03-28 01:30 -",
        "03-29 01:00 gap_skipped no",
        "03-30 00:30 -",
    ]
    assert cron.preview(berlin, instant("2026-03-27 12:00"), 0) == []


def test_a_schedule_that_always_falls_into_the_gap_ends() -> None:
    silent = timetable("30 2 * 3 SUN#2", "America/New_York", gap="skip")
    after = instant("2026-01-01 00:00")
    assert silent.next(after) is None
    assert {slot.fires for slot in cron.preview(silent, after, 1)} == {False}
    assert silent.cron.every_hour is False


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Apia", "America/New_York"])
def test_the_calendar_ends_without_an_error(zone: str) -> None:
    for expression in ("* * * * *", "0 0 29 2 *"):
        assert timetable(expression, zone).next(datetime.max.replace(tzinfo=UTC)) is None
        assert list(timetable(expression, zone).slots(instant("9999-12-31 23:58")))[1:] == []


def on_the_day(schedule: cron.Timetable, day: str) -> list[str]:
    """What the schedule does between the midnights of a UTC day."""
    begin = instant(day)
    slots = schedule.slots(begin - timedelta(microseconds=1))
    return [shown(slot) for slot in itertools.takewhile(lambda s: s.at < begin + timedelta(days=1), slots)]
