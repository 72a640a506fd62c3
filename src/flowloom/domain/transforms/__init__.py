"""Transforms: what a map rule does to a value, a list of `{name, ...arguments}` compiled to a closure.

A missing or null value passes as it is through every transform but those made for it (default, lookup,
boolean, count). Data that a transform cannot work on raises TransformFailed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flowloom import errors
from flowloom.domain import lookup
from flowloom.domain.payload import MISSING
from flowloom.domain.transforms import dates, lists, numbers, spec, text, values
from flowloom.domain.transforms.spec import Transform, TransformFailed

__all__ = ["MAX_TRANSFORMS", "TRANSFORMS", "Compiled", "TransformFailed", "compile", "describe", "lookups_in"]

MAX_TRANSFORMS = 50

TRANSFORMS: Mapping[str, Transform] = {
    **text.TRANSFORMS,
    **numbers.TRANSFORMS,
    **lists.TRANSFORMS,
    **values.TRANSFORMS,
    **dates.TRANSFORMS,
}


Compiled = Callable[..., object]


def compile(steps: object, field: str = "transforms") -> Compiled:
    """Compile a list of transforms. Raises errors.Invalid on the place below `field` (`transforms.0.digits`),
    errors.Incomplete where a name or an argument is all that is missing.

    The function takes a JSON value or MISSING and the run's lookup tables, and gives a value; it raises
    TransformFailed, naming the transform.
    """
    if not isinstance(steps, list | tuple):
        raise errors.Invalid.field(field, "Transforms are a list of {name, ...}.")
    if len(steps) > MAX_TRANSFORMS:
        raise errors.Invalid.field(field, f"There are more than {MAX_TRANSFORMS} transforms.")
    functions = errors.Incomplete.gather(
        partial(_compiled, step, f"{field}.{at}") for at, step in enumerate(steps)
    )
    return functions[0] if len(functions) == 1 else _chain(functions)


def lookups_in(steps: object) -> frozenset[str]:
    """The names of the lookup tables that a list of transforms reads; it has been compiled before."""
    assert isinstance(steps, list | tuple)
    return frozenset(step["table"] for step in steps if TRANSFORMS[step["name"]].looks_up)


def describe() -> list[Any]:
    """The table for forms and the reference: name, help and arguments of each transform."""
    return [
        {"name": name, "help": transform.help, "arguments": [_described(arg) for arg in transform.arguments]}
        for name, transform in TRANSFORMS.items()
    ]


def _described(argument: spec.Argument) -> dict[str, Any]:
    described: dict[str, Any] = {"name": argument.name, "kind": argument.kind}
    if argument.default is spec.REQUIRED:
        return {**described, "required": True}
    described |= {"required": False, "default": argument.default}
    return described | ({"choices": list(argument.choices)} if argument.choices else {})


def _compiled(step: object, place: str) -> Compiled:
    if step == {}:
        raise errors.Incomplete({f"{place}.name": ["A transform is an object with a 'name'."]})
    if not isinstance(step, Mapping) or not isinstance(step.get("name"), str):
        raise errors.Invalid.field(f"{place}.name", "A transform is an object with a 'name'.")
    name = step["name"]
    transform = TRANSFORMS.get(name)
    if transform is None:
        raise errors.Invalid.field(
            f"{place}.name", f"Unknown transform '{name}'; allowed: {', '.join(TRANSFORMS)}."
        )
    _refuse_others(step, transform, place)
    arguments = errors.Incomplete.gather(
        partial(argument.checked, step, place) for argument in transform.arguments
    )
    return _guarded(name, _made(transform, arguments, place), transform)


def _refuse_others(step: Mapping[str, object], transform: Transform, place: str) -> None:
    allowed = ["name", *(argument.name for argument in transform.arguments)]
    if others := sorted(set(step) - set(allowed)):
        message = f"Unknown key '{others[0]}' in '{step['name']}'; allowed: {', '.join(allowed)}."
        raise errors.Invalid.field(f"{place}.{others[0]}", message)


def _made(transform: Transform, arguments: list[object], place: str) -> Compiled:
    try:
        made: Compiled = transform.make(*arguments)
        return made
    except errors.Invalid as error:
        raise errors.Invalid(
            {f"{place}.{name}": messages for name, messages in error.errors.items()}
        ) from None
    except TransformFailed as error:
        raise errors.Invalid.field(place, f"The argument {error}.") from None


def _guarded(name: str, function: Compiled, transform: Transform) -> Compiled:
    takes_nothing, looks_up = transform.takes_nothing, transform.looks_up

    def run(value: object, lookups: lookup.Lookups = lookup.NONE) -> object:
        if (value is MISSING or value is None) and not takes_nothing:
            return value
        try:
            made = function(value, lookups) if looks_up else function(value)
            if isinstance(made, str):
                spec.refuse_long(len(made))
            return made
        except TransformFailed as error:
            raise TransformFailed(f"{name}: {error}") from None

    return run


def _chain(functions: list[Compiled]) -> Compiled:
    def run(value: object, lookups: lookup.Lookups = lookup.NONE) -> object:
        for function in functions:
            value = function(value, lookups)
        return value

    return run
