"""How records look in answers: instants as text, and what is not there left out instead of null."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flowloom.domain import timestamp


def instant(value: datetime | None) -> str | None:
    """An instant as the contract writes it, 2026-01-31T10:00:00.000000Z; None stays None."""
    return None if value is None else timestamp.written(value)


def present(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that have a value: the contract's types are not nullable."""
    return {name: value for name, value in fields.items() if value is not None}
