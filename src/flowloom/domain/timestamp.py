"""Timestamps as clients write them: RFC 3339, read a little more kindly than it is written."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_WRITTEN = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d)(?::(\d\d)([.,]\d+)?)?([Zz]|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII
)


def parse(text: str) -> datetime:
    """The instant, in UTC, which also holds where no offset is given; a leap second is the one before it.

    The time may be left out, or its seconds. Raises ValueError or OverflowError.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ValueError("no RFC 3339 timestamp")
    date, time, seconds, fraction, offset = found.groups()
    seconds = "59" if seconds == "60" else seconds or "00"
    instant = datetime.fromisoformat(
        f"{date}T{time or '00:00'}:{seconds}{fraction or ''}{(offset or 'Z').upper()}"
    )
    return instant.astimezone(UTC)


def written(at: datetime) -> str:
    """An instant as answers write it: 2026-01-31T10:00:00.000000Z."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
