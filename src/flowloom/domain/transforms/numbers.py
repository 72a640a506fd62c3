"""Transforms of numbers: decimal arithmetic, so money shows no float noise; halves round away from zero."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal

from flowloom.domain import comparison
from flowloom.domain.transforms import spec
from flowloom.domain.transforms.spec import Argument, Function, Transform, TransformFailed

# Without traps a result that cannot be is infinite or no number, which `written` refuses.
_EXACT = Context(prec=50, rounding=ROUND_HALF_UP, traps=[])
_MAX_INTEGER_DIGITS = 40


def read(value: object) -> Decimal:
    """The exact number of a JSON number or of a text that is one. Raises TransformFailed."""
    found = comparison.exact(value)
    if found is None:
        raise TransformFailed(f"expects a number, got {spec.kind_of(value)}")
    return Decimal(found)


def written(value: Decimal) -> int | float:
    """The JSON number: whole ones as int. Raises TransformFailed when it is too large for one."""
    if not value.is_finite() or value.adjusted() > 300:
        raise TransformFailed("the result is no number, or too large")
    if value.adjusted() < _MAX_INTEGER_DIGITS and value == value.to_integral_value(context=_EXACT):
        return int(value)
    return float(value)


def total(values: list[object]) -> int | float:
    """The exact sum of numbers; null counts as nothing."""
    result = Decimal(0)
    for value in values:
        if value is not None:
            result = _EXACT.add(result, read(value))
    return written(result)


def _on_number(help: str, function: Callable[[Decimal], Decimal]) -> Transform:
    return spec.simple(help, lambda value: written(function(read(value))))


def _with_number(help: str, function: Callable[[Decimal, Decimal], Decimal]) -> Transform:
    def make(other: object) -> Function:
        exact = read(other)
        return lambda value: written(function(read(value), exact))

    return Transform(help, make, (Argument("value", "number"),))


def _divide(value: Decimal, by: Decimal) -> Decimal:
    if not by:
        raise TransformFailed("cannot divide by zero")
    return _EXACT.divide(value, by)


def _round(digits: int) -> Function:
    unit = Decimal(1).scaleb(-digits)
    return lambda value: written(_EXACT.quantize(read(value), unit))


def _format_number(decimals: int, thousands: str, point: str) -> Function:
    unit = Decimal(1).scaleb(-decimals)

    def run(value: object) -> object:
        rounded = _EXACT.quantize(read(value), unit)
        written(rounded)
        whole, _, fraction = f"{rounded:,.{decimals}f}".partition(".")
        return whole.replace(",", thousands) + (point + fraction if fraction else "")

    return run


TRANSFORMS: Mapping[str, Transform] = {
    "number": _on_number("The number that a text is.", lambda value: value),
    "integer": _on_number(
        "The whole part of a number.", lambda value: value.to_integral_value(ROUND_DOWN, context=_EXACT)
    ),
    "round": Transform(
        "Rounded to `digits` decimals, halves away from zero.",
        _round,
        (Argument("digits", "integer", default=0, low=-15, high=15),),
    ),
    "add": _with_number("Plus `value`.", _EXACT.add),
    "subtract": _with_number("Minus `value`.", _EXACT.subtract),
    "multiply": _with_number("Times `value`.", _EXACT.multiply),
    "divide": _with_number("Divided by `value`.", _divide),
    "at_least": _with_number("The number, or `value` when that is larger.", max),
    "at_most": _with_number("The number, or `value` when that is smaller.", min),
    "absolute": _on_number("Without its sign.", _EXACT.abs),
    "format_number": Transform(
        "As text: `decimals` decimals after `point`, `thousands` between groups of three digits.",
        _format_number,
        (
            Argument("decimals", "integer", default=2, low=0, high=15),
            Argument("thousands", default=",", high=1),
            Argument("point", default=".", low=1, high=1),
        ),
    ),
}
