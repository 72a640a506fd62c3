"""All step types, what they check a config against, and how they describe themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, get_args

import msgspec
import pydantic
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from flowloom import errors
from flowloom.domain import templates
from flowloom.steps import (
    assert_,
    batch,
    branch,
    cache,
    callback,
    connector,
    contract,
    de_dupe,
    delay,
    filter,
    manual_payload,
    map,
    notify,
    route,
    run_flow,
    set_variables,
    split,
    track,
    trigger,
    try_catch,
)
from flowloom.steps.contract import StepType

MAX_MESSAGES = 20
# To say what each one is would take seconds, and nobody reads on after the first.
MAX_FAULTS = 5000
MAX_KEYS = 1000
_SWITCHED_OFF = (
    "Switched off (`is_enabled`), it lets nothing through: its payloads end there, and no route gets them."
)

TYPES: Mapping[str, StepType] = {
    type.microservice: type
    for type in (
        trigger.TYPE,
        connector.TYPE,
        filter.TYPE,
        map.TYPE,
        batch.TYPE,
        split.TYPE,
        route.TYPE,
        branch.TYPE,
        set_variables.TYPE,
        manual_payload.TYPE,
        delay.TYPE,
        try_catch.TYPE,
        run_flow.TYPE,
        cache.TYPE,
        de_dupe.TYPE,
        track.TYPE,
        assert_.TYPE,
        notify.TYPE,
        callback.TYPE,
    )
}


def get(microservice: str) -> StepType:
    """Raises errors.Invalid on `microservice` for a type that is not there."""
    if microservice not in TYPES:
        message = f"Unknown step type '{microservice}'; allowed: {', '.join(TYPES)}."
        raise errors.Invalid.field("microservice", message)
    return TYPES[microservice]


def check(
    step_type: StepType, config: Mapping[str, object]
) -> tuple[contract.Config | None, dict[str, list[str]]]:
    """The config as its model, or None with the problems when all that is wrong is what is missing.

    Problems are {"config.size": ["This field is required."]}. Raises errors.Invalid on `config.<path>` for
    everything that could never be right: unknown keys, other types (nothing is coerced), bad values.
    """
    try:
        model = step_type.config.model_validate_json(msgspec.json.encode(config), strict=True)
    except pydantic.ValidationError as error:
        if error.error_count() > MAX_FAULTS:
            message = f"The config has {error.error_count():,} faults; begin with the example in /step-types."
            raise errors.Invalid.field("config", message) from None
        return None, _missing(step_type, config, error.errors(include_url=False))
    try:
        step_type.compile(model, ())
    except errors.Incomplete as error:
        return None, dict(list(_below_config(error).items())[:MAX_MESSAGES])
    except errors.Invalid as error:
        raise errors.Invalid(_below_config(error)) from None
    return model, {}


def _below_config(error: errors.Invalid) -> dict[str, list[str]]:
    return {f"config.{place}": said for place, said in error.errors.items()}


def require_bounded(value: object, place: str = "config") -> None:
    """Raise errors.Invalid on the place below `place` where an object has more than MAX_KEYS keys."""
    waiting = [(place, value)]
    while waiting:
        place, node = waiting.pop()
        if isinstance(node, dict):
            if len(node) > MAX_KEYS:
                message = (
                    f"An object here has at most {MAX_KEYS:,} keys, not {len(node):,}; use a list, or text."
                )
                raise errors.Invalid.field(place, message)
            waiting.extend((f"{place}.{name[:100]}", part) for name, part in _nested(node.items()))
        elif isinstance(node, list):
            waiting.extend((f"{place}.{at}", part) for at, part in _nested(enumerate(node)))


def _nested(parts: Iterable[tuple[Any, object]]) -> Iterator[tuple[Any, object]]:
    return ((name, part) for name, part in parts if isinstance(part, dict | list))


def used_variables(
    model: type[pydantic.BaseModel], config: Mapping[str, object]
) -> dict[str, frozenset[str]]:
    """The flow variables a config uses, by dotted field ("rules.0.template"); fields without are left out."""
    return {place: names for place, names in _uses(model, config, "") if names}


def describe() -> list[dict[str, Any]]:
    """What `GET /step-types` answers: for each type its texts, its config's JSON Schema and examples."""
    return [
        {
            "microservice": type.microservice,
            "title": type.title,
            "help": f"{type.help} {_SWITCHED_OFF}" if type.has_routes else type.help,
            "failure": type.failure,
            "has_routes": type.has_routes,
            "schema": type.config.model_json_schema(),
            "examples": [asdict(example) for example in type.examples],
        }
        for type in TYPES.values()
    ]


def _missing(
    step_type: StepType, config: Mapping[str, object], details: Sequence[ErrorDetails]
) -> dict[str, list[str]]:
    """The problems, when all there is to say is that fields are missing; else raises errors.Invalid."""
    wrong: dict[str, list[str]] = {}
    for detail in [detail for detail in details if detail["type"] != "missing"][:MAX_MESSAGES]:
        wrong.setdefault(_dotted(config, detail), []).append(_message(step_type.config, detail))
    if wrong:
        raise errors.Invalid(wrong)
    return {_dotted(config, detail): ["This field is required."] for detail in details[:MAX_MESSAGES]}


def _dotted(config: object, detail: ErrorDetails) -> str:
    return ".".join(["config", *_place(config, detail)])


def _place(config: object, detail: ErrorDetails) -> list[str]:
    """The error's location without the names that pydantic adds for the members of a union."""
    place = []
    node: Any = config
    for part in detail["loc"]:
        if part in node if isinstance(node, dict) else isinstance(node, list) and isinstance(part, int):
            place.append(str(part))
            node = node[part]
    name = str(detail["loc"][-1])
    is_absent = detail["type"] == "missing" and place[-1:] != [
        name
    ]  # a null is there, and missing all the same
    return [*place, name] if is_absent else place


def _message(model: type[pydantic.BaseModel], detail: ErrorDetails) -> str:
    name = next((part for part in reversed(detail["loc"]) if isinstance(part, str)), "config")
    match detail["type"]:
        case "extra_forbidden":
            allowed = [field for owner in _owners(model, detail["loc"]) for field in owner.model_fields]
            return f"Unknown key '{name}'; allowed: {', '.join(dict.fromkeys(allowed)) or 'none'}."
        case "literal_error" | "enum":
            return f"'{detail['input']}' is not allowed for '{name}'; allowed: {detail['ctx']['expected']}."
        case "union_tag_invalid":
            context = detail["ctx"]
            allowed_tags = f"allowed for {context['discriminator']}: {context['expected_tags']}"
            return f"'{context['tag']}' is not allowed; {allowed_tags}."
        case _:
            said = detail["msg"].removeprefix("Value error, ").replace("Input should", f"'{name}' should")
            return said if said.endswith(".") else f"{said}."


def _owners(model: type[pydantic.BaseModel], loc: tuple[int | str, ...]) -> list[type[pydantic.BaseModel]]:
    """The models that an unknown key may have been meant for: those at the end of the location."""
    owners = [model]
    for part in loc[:-1]:
        fields = [owner.model_fields.get(str(part)) for owner in owners]
        inner = [model for field in fields if field for model in _models(field.annotation)]
        owners = inner or [owner for owner in owners if _has_tag(owner, part)] or owners
    return owners


def _has_tag(model: type[pydantic.BaseModel], tag: object) -> bool:
    """Whether the model is the member of a tagged union that pydantic names by this part of a location."""
    return any(tag in get_args(field.annotation) for field in model.model_fields.values())


def _uses(
    model: type[pydantic.BaseModel], config: Mapping[str, object], place: str
) -> Iterator[tuple[str, frozenset[str]]]:
    for name, field in model.model_fields.items():
        value = config.get(name)
        if _marked(field, "x-template"):
            yield f"{place}{name}", templates.variables_in(value)
        elif _marked(field, "x-variable") and isinstance(value, str):
            yield f"{place}{name}", frozenset({value})
        else:
            yield from _nested_uses(_models(field.annotation), value, f"{place}{name}")


def _nested_uses(
    models: list[type[pydantic.BaseModel]], value: object, place: str
) -> Iterator[tuple[str, frozenset[str]]]:
    if isinstance(value, Mapping):
        for model in models:
            yield from _uses(model, value, f"{place}.")
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _nested_uses(models, item, f"{place}.{at}")


def _marked(field: FieldInfo, mark: str) -> bool:
    extra = field.json_schema_extra
    return isinstance(extra, dict) and bool(extra.get(mark))


def _models(annotation: object) -> list[type[pydantic.BaseModel]]:
    """The models inside of an annotation: of `list[Rule] | None` it is Rule."""
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models(inner)]
