"""How records look in answers: instants as text, and what is not there left out instead of null."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def instant(value: datetime | None) -> str | None:
    """An instant as the contract writes it, 2026-01-31T10:00:00.000000Z; None stays None."""
    if value is None:
        return None
    return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def present(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that have a value: the contract's types are not nullable."""
    return {name: value for name, value in fields.items() if value is not None}
