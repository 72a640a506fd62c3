"""How two JSON values compare: what every operator of a condition means.

- Numbers compare with numbers and with strings that are numbers ("12" equals 12, exactly: "0.1" equals 0.1).
- Two strings are equal when they are the same, letter case included ("12" does not equal "12.0"); in order
  they compare as numbers when both are numbers, else by character.
- Booleans are no numbers. A missing value equals null, and nothing else; it is in no order with anything.
- Text operators read numbers as written in JSON; `contains` also finds an item of a list, a key of an object.
- Empty is: missing, null, "", [] and {}.
- Dates are ISO dates or times, without a zone in UTC; what is no date is neither before nor after anything.

An operator is given its value once and answers a test, so that the work on a constant is done when compiling.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

import msgspec

from flowloom.domain import pattern
from flowloom.domain.payload import MISSING

Test = Callable[[object], bool]
Holds = Callable[[Any, Any], bool]

_NUMERIC = re.compile(r"\s*([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)\s*")
_RELATIVE = re.compile(r"([+-])\s*([0-9]{1,9})\s*(second|minute|hour|day|week)s?")
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}


@dataclass(frozen=True, slots=True)
class Operator:
    """`test` makes the test of a value; `negated` turns its answer round; `takes` is the value it needs."""

    test: Callable[[object], Test]
    takes: Literal["nothing", "value", "list", "pair", "pattern", "date"] = "value"
    negated: bool = False


def number(text: str) -> Decimal | None:
    """The exact number a string stands for, or None ("1_000", "NaN" and "" are no numbers)."""
    match = _NUMERIC.fullmatch(text) if len(text) <= 100 else None
    return Decimal(match[1]) if match else None


def exact(value: object) -> int | Decimal | None:
    """The exact number of a JSON number or of a string that is one; None for everything else."""
    if isinstance(value, str):
        return number(value)
    if isinstance(value, float):
        return Decimal(repr(value))
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def equal(found: object, value: object) -> bool:
    """Whether two values are equal under the rules above."""
    if isinstance(found, bool) or isinstance(value, bool):
        return found is value
    if isinstance(found, str) is not isinstance(value, str):
        pair = _comparable(found, value)
        return pair is not None and pair[0] == pair[1]
    return (None if found is MISSING else found) == value


def instant(value: object, now: datetime) -> datetime | None:
    """The instant of a date in a condition: an ISO date, or one seen from `now` ("-7 days"); else None."""
    return _instant(value, now) if isinstance(value, str) else None


def is_relative_date(value: object) -> bool:
    """Whether a value is a date seen from now: "now", "yesterday", "+2 hours"."""
    if not isinstance(value, str):
        return False
    words = value.strip().lower()
    return words == "now" or words in _DAYS or _RELATIVE.fullmatch(words) is not None


def moment(value: object) -> datetime | None:
    """The instant of an ISO date or time in data (UTC when it names no zone); else None."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _equals(value: object) -> Test:
    if isinstance(value, str) and number(value) is None:
        return lambda found: found == value
    if value is None:
        return lambda found: found is None or found is MISSING
    if isinstance(value, int | float) and not isinstance(value, bool):
        return lambda found: (
            found == value if type(found) is int or type(found) is float else equal(found, value)
        )
    return lambda found: equal(found, value)


def _contains(value: object) -> Test:
    text = _text(value)

    def test(found: object) -> bool:
        if isinstance(found, list):
            return any(equal(item, value) for item in found)
        if isinstance(found, dict):
            return value in found if isinstance(value, str) else False
        whole = _text(found)
        return whole is not None and text is not None and text in whole

    return test


def _affix(holds: Callable[[str, str], bool]) -> Callable[[object], Test]:
    def make(value: object) -> Test:
        text = _text(value)

        def test(found: object) -> bool:
            whole = _text(found)
            return whole is not None and text is not None and holds(whole, text)

        return test

    return make


def _within(value: object) -> Test:
    items = value if isinstance(value, list) else []
    if all(isinstance(item, str) and number(item) is None for item in items):
        texts = frozenset(items)
        return lambda found: isinstance(found, str) and found in texts
    return _Among(items)


class _Among:
    """Whether a value equals one of many, found by its hash and not by asking one after another."""

    def __init__(self, items: Sequence[object]) -> None:
        plain = [item for item in items if isinstance(item, int | float) and not isinstance(item, bool)]
        self._texts = frozenset(item for item in items if isinstance(item, str))
        self._numbers = frozenset(plain)
        self._exact = frozenset(exact(item) for item in plain)
        # A text that is a number equals a number, not another text.
        self._written = frozenset(map(exact, self._texts)) - {None}
        self._others = [_equals(item) for item in items if not isinstance(item, str | int | float)]
        self._others += [_equals(item) for item in items if isinstance(item, bool)]

    def __call__(self, found: object) -> bool:
        if isinstance(found, str):
            return found in self._texts or (bool(self._exact) and exact(found) in self._exact)
        if isinstance(found, int | float) and not isinstance(found, bool):
            return found in self._numbers or (bool(self._written) and exact(found) in self._written)
        return any(test(found) for test in self._others)


def _ordering(holds: Holds) -> Callable[[object], Test]:
    def make(value: object) -> Test:
        def test(found: object) -> bool:
            pair = _comparable(found, value)
            return pair is not None and holds(*pair)

        if isinstance(value, bool) or not isinstance(value, int | float):
            return test
        return lambda found: (
            holds(found, value) if type(found) is int or type(found) is float else test(found)
        )

    return make


def _between(value: object) -> Test:
    if not isinstance(value, list) or len(value) != 2:
        return lambda found: False
    low, high = _ordering(operator.ge)(value[0]), _ordering(operator.le)(value[1])
    return lambda found: low(found) and high(found)


def _filled(value: object) -> Test:
    return lambda found: found is not MISSING and found is not None and found not in ("", [], {})


def _matches(value: object) -> Test:
    try:
        compiled = pattern.parse(value) if isinstance(value, str) else None
    except pattern.BadPattern:
        compiled = None

    def test(found: object) -> bool:
        text = _text(found)
        return compiled is not None and text is not None and compiled.found_in(text)

    return test


def _dated(holds: Holds) -> Callable[[object], Test]:
    def make(value: object) -> Test:
        def test(found: object) -> bool:
            at = moment(found)
            return at is not None and value is not None and holds(at, value)

        return test

    return make


OPERATORS: Mapping[str, Operator] = {
    "equals": Operator(_equals),
    "not_equals": Operator(_equals, negated=True),
    "contains": Operator(_contains),
    "not_contains": Operator(_contains, negated=True),
    "starts_with": Operator(_affix(str.startswith)),
    "ends_with": Operator(_affix(str.endswith)),
    "in": Operator(_within, "list"),
    "not_in": Operator(_within, "list", negated=True),
    "greater": Operator(_ordering(operator.gt)),
    "greater_or_equal": Operator(_ordering(operator.ge)),
    "less": Operator(_ordering(operator.lt)),
    "less_or_equal": Operator(_ordering(operator.le)),
    "between": Operator(_between, "pair"),
    "is_empty": Operator(_filled, "nothing", negated=True),
    "is_not_empty": Operator(_filled, "nothing"),
    "matches": Operator(_matches, "pattern"),
    "before": Operator(_dated(operator.lt), "date"),
    "after": Operator(_dated(operator.gt), "date"),
}


def _comparable(one: object, other: object) -> tuple[object, object] | None:
    """Both as two numbers or two strings, or None when they are in no order."""
    if isinstance(one, str) and isinstance(other, str):
        left, right = number(one), number(other)
        return (one, other) if left is None or right is None else (left, right)
    here, there = exact(one), exact(other)
    return None if here is None or there is None else (here, there)


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return msgspec.json.encode(value).decode()
    return None


# The same text and instant give the same object: so a condition notices that its value did not change.
@lru_cache(maxsize=1024)
def _instant(text: str, now: datetime) -> datetime | None:
    words = text.strip().lower()
    try:
        if words in _DAYS:
            midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
            return midnight + timedelta(days=_DAYS[words])
        if match := _RELATIVE.fullmatch(words):
            distance = timedelta(**{match[3] + "s": int(match[2])})
            return now - distance if match[1] == "-" else now + distance
    except OverflowError:
        return None
    return now if words == "now" else moment(text)
