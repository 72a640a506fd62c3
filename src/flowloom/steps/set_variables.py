"""The set-variables step: sets variables of the run and meta of the payload."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace
from pydantic import Field

from flowloom import errors
from flowloom.domain import templates
from flowloom.domain.payload import Payload
from flowloom.steps import contract, sizes


class SetVariables(contract.Config):
    variables: dict[str, Any] = Field(
        default_factory=dict,
        max_length=200,
        description="Flow variables by name; one placeholder alone keeps its JSON type.",
        json_schema_extra={"x-template": True},
    )
    meta: dict[str, str] = Field(
        default_factory=dict,
        max_length=200,
        description="Meta of the payload by key; every value becomes text.",
        json_schema_extra={"x-template": True},
    )


def compile(config: SetVariables, legs: Sequence[contract.Leg]) -> contract.Compiled:
    _check_names(config)
    variables = {
        name: templates.compile_tree(value, f"variables.{name}") for name, value in config.variables.items()
    }
    meta = {key: templates.compile(text, f"meta.{key}") for key, text in config.meta.items()}

    def run(context: contract.Context, payload: Payload) -> contract.Outcome:
        scope = context.scope(payload)
        # Everything is read before anything is set, so that the order of the names does not matter.
        values = {name: tree.value(scope) for name, tree in variables.items()}
        added = {key: template.render(scope) for key, template in meta.items()}
        if sizes.of(values) > sizes.MAX_BYTES:
            return sizes.too_large("The variables")
        if sizes.of(added) > sizes.MAX_BYTES:
            return sizes.too_large("The meta")
        for name, value in values.items():
            context.set_variable(name, value)
        return contract.Done([replace(payload, meta={**payload.meta, **added})])

    return contract.Compiled(run, sets_variables=bool(variables))


def _check_names(config: SetVariables) -> None:
    for name in config.variables:
        if not templates.is_variable_name(name):
            message = f"'{name}' is no variable name; it has letters, digits, '_', '-' and '.' only."
            raise errors.Invalid.field(f"variables.{name}", message)


TYPE = contract.StepType(
    microservice="set-variables",
    title="Set variables",
    help=(
        "Sets variables of the run and meta of the payload from templates; the body goes on as it is. All "
        "values are read before any is set. With more payloads in the bucket the last one's variables stay."
    ),
    failure=(
        "Variables or meta that come to more than 64 MB fail. A path that finds nothing gives null in a variable, and "
        "empty text in meta."
    ),
    config=SetVariables,
    compile=compile,
    examples=[
        contract.Example(
            "Remember the newest date of a page",
            {"variables": {"since": "[[payload.newest]]"}, "meta": {"shop": "{{shop}}"}},
            payloads=[{"newest": "2026-01-31"}],
            expect=[{"newest": "2026-01-31"}],
            variables={"shop": "nl"},
        ),
    ],
)
