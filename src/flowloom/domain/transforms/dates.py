"""Transforms of dates: ISO text, text in a named format, and Unix times."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from flowloom import errors
from flowloom.domain.transforms import spec
from flowloom.domain.transforms.spec import Argument, Function, Transform, TransformFailed, read_text

# strftime takes a width ("%9999999d"), so only the plain directives are let through.
_READ_FORMAT = re.compile(r"(?:[^%]|%[aAbBdfHIjmMpSyYzZ%])+")
_WRITE_FORMAT = re.compile(r"(?:[^%]|%-?[aAbBdfGHIjmMpSuVyYzZ%])+")
_MILLISECONDS_FROM = 100_000_000_000

_ZONE = Argument("timezone", "zone", default="UTC", low=1, high=100)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise errors.Invalid.field(
            "timezone", f"'{name}' is no time zone, such as 'Europe/Amsterdam'."
        ) from None


def _checked(form: re.Pattern[str], text: str, name: str) -> str:
    if form.fullmatch(text) is None:
        raise errors.Invalid.field(name, f"'{text}' is no date format, such as '%d-%m-%Y %H:%M'.")
    return text


def _read(value: object, form: str | None = None) -> datetime:
    """A date with or without a zone. Raises TransformFailed."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if abs(value) >= _MILLISECONDS_FROM else value, UTC)
        text = read_text(value).strip()
        return datetime.strptime(text, form) if form else datetime.fromisoformat(text)  # noqa: DTZ007
    except (ValueError, OverflowError, OSError):
        wanted = f"a date like {form}" if form else "an ISO date"
        raise TransformFailed(f"expects {wanted}, got {spec.kind_of(value)}") from None


def _aware(at: datetime, zone: tzinfo) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=zone)


def _shown(at: datetime, zone: tzinfo, form: str | None) -> str:
    """Raises TransformFailed at the edge of the calendar."""
    try:
        local = at.astimezone(zone)
        return local.strftime(form) if form else _iso(local)
    except (ValueError, OverflowError):
        raise TransformFailed("the date is outside of the years 1 to 9999") from None


def _iso(at: datetime) -> str:
    return at.isoformat().removesuffix("+00:00") + ("Z" if at.tzinfo and not at.utcoffset() else "")


def _date(read: str | None, write: str | None, timezone: str) -> Function:
    read = read and _checked(_READ_FORMAT, read, "from")
    write = write and _checked(_WRITE_FORMAT, write, "to")
    zone = _zone(timezone)
    return lambda value: _shown(_aware(_read(value, read), zone), zone, write)


def _format_date(form: str, timezone: str) -> Function:
    form = _checked(_WRITE_FORMAT, form, "format")
    zone = _zone(timezone)
    return lambda value: _shown(_aware(_read(value), UTC), zone, form)


def _date_add(days: float, hours: float, minutes: float) -> Function:
    distance = timedelta(days=days, hours=hours, minutes=minutes)
    whole_days = not distance % timedelta(days=1)

    def run(value: object) -> object:
        at = _read(value)
        try:
            moved = at + distance
        except OverflowError:
            raise TransformFailed("the date is outside of the years 1 to 9999") from None
        is_day = whole_days and isinstance(value, str) and len(value.strip()) == 10
        return moved.date().isoformat() if is_day else _iso(moved)

    return run


def _timestamp(unit: str) -> Function:
    step = timedelta(milliseconds=1) if unit == "milliseconds" else timedelta(seconds=1)

    def run(value: object) -> object:
        since = _aware(_read(value), UTC) - datetime(1970, 1, 1, tzinfo=UTC)
        return since // step

    return run


TRANSFORMS: Mapping[str, Transform] = {
    "date": Transform(
        "A date read by the format `from` (default: ISO, or Unix time when a number) and written by `to` "
        "(default: ISO) in `timezone`, which is also the zone of a date that names none.",
        _date,
        (
            Argument("from", default=None, low=1, high=100),
            Argument("to", default=None, low=1, high=100),
            _ZONE,
        ),
    ),
    "format_date": Transform(
        "An ISO date written by `format` as the clock in `timezone` shows it; without a zone it is in UTC.",
        _format_date,
        (Argument("format", low=1, high=100), _ZONE),
    ),
    "date_add": Transform(
        "An ISO date moved by days, hours and minutes, in either direction.",
        _date_add,
        (
            Argument("days", "number", default=0, low=-1_000_000, high=1_000_000),
            Argument("hours", "number", default=0, low=-1_000_000, high=1_000_000),
            Argument("minutes", "number", default=0, low=-1_000_000, high=1_000_000),
        ),
    ),
    "timestamp": Transform(
        "The Unix time of an ISO date.",
        _timestamp,
        (Argument("unit", default="seconds", choices=("seconds", "milliseconds")),),
    ),
}
