"""What a transform is: a function on one value, with declared arguments checked when it is compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from flowloom import errors
from flowloom.domain.lookup import Lookups

MAX_TEXT_CHARACTERS = 10_000_000
MAX_ARGUMENT_CHARACTERS = 10_000

Function = Callable[[object], object]
LookingUp = Callable[[object, Lookups], object]
Kind = Literal["text", "integer", "number", "path", "zone", "list", "object", "any"]

REQUIRED: Final = object()

_KINDS: Mapping[Kind, tuple[tuple[type, ...], str]] = {
    "text": ((str,), "text"),
    "path": ((str,), "a path, such as 'lines.*.price'"),
    "zone": ((str,), "a time zone, such as 'Europe/Amsterdam'"),
    "integer": ((int,), "a whole number"),
    "number": ((int, float), "a number"),
    "list": ((list,), "a list"),
    "object": ((dict,), "an object"),
    "any": ((object,), "a value"),
}


class TransformFailed(ValueError):
    """The data is not what the transform works on; the message says what it got."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument; without a default it is required. `low` and `high` bound a number or a text's length."""

    name: str
    kind: Kind = "text"
    default: object = REQUIRED
    low: float = float("-inf")
    high: float = float("inf")
    choices: Sequence[str] = ()

    def checked(self, given: Mapping[str, object], place: str) -> object:
        """The value given, or the default. Raises errors.Invalid on the argument's place."""
        place = f"{place}.{self.name}"
        value = given.get(self.name, self.default)
        if value is REQUIRED:
            raise errors.Incomplete(
                {place: [f"'{given['name']}' needs '{self.name}': {_KINDS[self.kind][1]}."]}
            )
        if self.name in given and (problem := self._problem(value)):
            raise errors.Invalid.field(place, problem)
        return value

    def _problem(self, value: object) -> str | None:
        types, said = _KINDS[self.kind]
        if not isinstance(value, types) or (isinstance(value, bool) and self.kind != "any"):
            return f"'{self.name}' is {said}."
        if self.choices and value not in self.choices:
            return f"'{self.name}' is one of: {', '.join(self.choices)}."
        if isinstance(value, str):
            high = min(self.high, MAX_ARGUMENT_CHARACTERS)
            return (
                None
                if self.low <= len(value) <= high
                else f"'{self.name}' has {self._range(high)} characters."
            )
        if isinstance(value, int | float) and not self.low <= value <= self.high:
            return f"'{self.name}' is {self._range(self.high)}."
        return None

    def _range(self, high: float) -> str:
        return (
            f"{max(self.low, 0):g} to {high:g}" if self.low == float("-inf") else f"{self.low:g} to {high:g}"
        )


@dataclass(frozen=True, slots=True)
class Transform:
    """`make(*arguments)`, in the order they are declared, answers the function.

    The function sees no missing or null value, unless the transform says `takes_nothing`. One that `looks_up` gets
    the lookup tables as well; its argument `table` names the one it reads.
    """

    help: str
    make: Callable[..., Any]
    arguments: tuple[Argument, ...] = ()
    takes_nothing: bool = False
    looks_up: bool = False


def simple(help: str, function: Function, *, takes_nothing: bool = False) -> Transform:
    """A transform without arguments."""
    return Transform(help, lambda: function, (), takes_nothing)


def read_text(value: object) -> str:
    """A text as it is, a number or boolean as JSON writes it. Raises TransformFailed."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return msgspec.json.encode(value).decode()
    raise TransformFailed(f"expects text, got {kind_of(value)}")


def read_list(value: object) -> list[object]:
    """Raises TransformFailed for anything but a list."""
    if isinstance(value, list):
        return value
    raise TransformFailed(f"expects a list, got {kind_of(value)}")


def kind_of(value: object) -> str:
    """A value in a message: short ones as they are, others by what they are."""
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    written = msgspec.json.encode(value).decode(errors="replace")
    return written if len(written) <= 60 else written[:57] + "..."


def refuse_long(characters: int) -> None:
    """Raises TransformFailed when a text would grow beyond what a payload may hold."""
    if characters > MAX_TEXT_CHARACTERS:
        raise TransformFailed(f"the text would be longer than {MAX_TEXT_CHARACTERS:,} characters")
