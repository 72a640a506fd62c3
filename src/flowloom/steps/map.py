"""The map step: makes a new object of every record by rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from flowloom import errors
from flowloom.domain import templates, transforms
from flowloom.domain.lookup import Lookups
from flowloom.domain.payload import MISSING, Path, Payload, assign, compile_path
from flowloom.domain.templates import Scope
from flowloom.steps import contract, parts, sizes
from flowloom.steps.records_only import records_only

MAX_TARGET_POSITION = 999

_ORIGINS = ("source", "value", "template", "variable")
_ONE_ORIGIN = f"A rule has exactly one of: {', '.join(_ORIGINS)}."


class Rule(contract.Config):
    """One target, and exactly one of source, value, template and variable."""

    target: str = Field(description="Where the value goes in the new object: `ship.city`, `lines.*.sku`.")
    source: str | None = Field(
        None, description="The path of the value in the record; `.` is the record itself."
    )
    value: Any = Field(None, description="A constant, null too.")
    template: Any = Field(
        None,
        description="Text or JSON with {{variable}}, [[payload.path]] (of the record) and [[meta.key]].",
        json_schema_extra={"x-template": True},
    )
    variable: str | None = Field(
        None, description="The name of a flow variable.", json_schema_extra={"x-variable": True}
    )
    transforms: list[dict[str, Any]] = Field(
        default_factory=list,
        description="What is done to the value, in order.",
        json_schema_extra={"x-transforms": transforms.describe()},
    )


class Map(contract.Config):
    path: str | None = Field(None, description="Where the records are; absent: the payload, or its items.")
    rules: Annotated[list[Rule], Field(min_length=1, max_length=500)] = Field(
        description="What the new object holds, in order; a later rule wins."
    )


Read = Callable[[object, Scope], object]
Apply = Callable[[object, Scope, dict[str, object]], None]
MapAll = Callable[[contract.Context, list[object], Scope], list[object]]


def compile(config: Map, legs: Sequence[contract.Leg]) -> contract.Compiled:
    path = compile_path(config.path)
    rules = errors.Incomplete.gather(
        partial(_rule, rule, f"rules.{at}") for at, rule in enumerate(config.rules)
    )
    map_all = _map_all(rules, per_record=any("template" in rule.model_fields_set for rule in config.rules))

    def run(context: contract.Context, payload: Payload) -> contract.Outcome:
        scope = context.scope(payload)
        try:
            body = path.replace_records(payload.body, lambda records: map_all(context, records, scope))
        except transforms.TransformFailed as error:
            return contract.Fail(str(error))
        return sizes.made(payload.with_body(body))

    lookups = {
        name: f"rules.{at}.transforms"
        for at, rule in enumerate(config.rules)
        for name in transforms.lookups_in(rule.transforms)
    }
    return contract.Compiled(records_only(run), lookups=lookups)


def _map_all(rules: list[Apply], per_record: bool) -> MapAll:
    """The map of a list is the list of the maps. `per_record`: templates see the record as their payload."""

    def mapped(record: object, scope: Scope, rules: Iterable[Apply]) -> dict[str, object]:
        if per_record:
            scope = Scope(scope.variables, record, scope.now, scope.meta, scope.lookups)
        new: dict[str, object] = {}
        for rule in rules:
            rule(record, scope, new)
        return new

    def map_all(context: contract.Context, records: list[object], scope: Scope) -> list[object]:
        new: list[object] = []
        # Of a single record the work is in its rules.
        each = parts.each(context, rules) if len(records) == 1 else rules
        try:
            for part in parts.of(context, records):
                for record in part:
                    new.append(mapped(record, scope, each))
        except transforms.TransformFailed as error:
            raise transforms.TransformFailed(f"Record {len(new)}, {error}") from None
        return new

    return map_all


def _rule(rule: Rule, place: str) -> Apply:
    """Raises errors.Invalid on what is wrong, or errors.Incomplete on what is missing."""
    origins = [name for name in _ORIGINS if name in rule.model_fields_set]
    if len(origins) > 1:
        raise errors.Invalid.field(place, _ONE_ORIGIN)
    target = _target(rule.target, f"{place}.target")
    if not origins:
        transforms.compile(rule.transforms, f"{place}.transforms")
        raise errors.Incomplete({place: [_ONE_ORIGIN]})
    if rule.source is not None:
        return _copied(rule, target, compile_path(rule.source, f"{place}.source"), place)
    return _assigned(target, _transformed(_read(rule, origins[0], place), rule, 0, place))


def _target(text: str, place: str) -> Path:
    path = compile_path(text, place)
    if not path.segments or path.segments[0].is_star:
        raise errors.Invalid.field(place, "A target begins with a key, such as 'sku' or 'lines.*.sku'.")
    if any(segment.at is not None and segment.at > MAX_TARGET_POSITION for segment in path.segments[1:]):
        raise errors.Invalid.field(place, f"A position in a target is at most {MAX_TARGET_POSITION}.")
    return path


def _copied(rule: Rule, target: Path, source: Path, place: str) -> Apply:
    if source.only_key is not None and target.only_key is not None and not rule.transforms:
        return _copied_key(source, source.only_key, target.only_key)
    depth = min(source.stars, target.stars)
    return _assigned(
        target, _transformed(lambda record, scope: source.gather(record, depth), rule, depth, place)
    )


def _copied_key(source: Path, old: str, new: str) -> Apply:
    """The common rule, one key to another, with as little work for each record as can be."""

    def apply(record: object, scope: Scope, out: dict[str, object]) -> None:
        value = record.get(old, MISSING) if type(record) is dict else source.get(record)
        if value is not MISSING:
            out[new] = value

    return apply


def _read(rule: Rule, origin: str, place: str) -> Read:
    if origin == "template":
        fill = templates.compile_tree(rule.template, f"{place}.template").value
        return lambda record, scope: fill(scope)
    if origin == "value":
        return lambda record, scope: rule.value
    name = rule.variable
    if name is None or not templates.is_variable_name(name):
        raise errors.Invalid.field(f"{place}.{origin}", f"'{origin}' is missing a name or path.")
    return lambda record, scope: scope.variables.get(name, MISSING)


def _transformed(read: Read, rule: Rule, depth: int, place: str) -> Read:
    if not rule.transforms:
        return read
    transform = transforms.compile(rule.transforms, f"{place}.transforms")

    def run(record: object, scope: Scope) -> object:
        try:
            return _at_depth(transform, read(record, scope), scope.lookups, depth)
        except transforms.TransformFailed as error:
            raise transforms.TransformFailed(f"'{rule.target}': {error}.") from None

    return run


def _at_depth(transform: transforms.Compiled, value: object, lookups: Lookups, depth: int) -> object:
    """The transform of each item that a `*` of the target will place, or of the whole value."""
    if depth and isinstance(value, list):
        return [_at_depth(transform, item, lookups, depth - 1) for item in value]
    return transform(value, lookups)


def _assigned(target: Path, read: Read) -> Apply:
    key = target.only_key

    def apply(record: object, scope: Scope, out: dict[str, object]) -> None:
        value = read(record, scope)
        if value is MISSING:
            return
        if key is not None:
            out[key] = value
        else:
            assign(out, target, value)

    return apply


TYPE = contract.StepType(
    microservice="map",
    title="Map",
    help=(
        "Makes a new object of every record: each rule puts a value at its target. The value comes from a "
        "path of the record (`source`), is a constant (`value`), a filled-in `template` or a flow "
        "`variable`, and may go through transforms. A source that is missing leaves its target out; `*` in "
        "source and target maps a list position by position. The map of a list is the list of the maps."
    ),
    failure=(
        "A payload that is not JSON, CSV or XML fails, and so does one with a value that a transform cannot work on; "
        "the message names the record and the target."
    ),
    config=Map,
    compile=compile,
    examples=[
        contract.Example(
            "An order for the warehouse",
            {
                "rules": [
                    {
                        "target": "reference",
                        "source": "id",
                        "transforms": [{"name": "prefix", "text": "SO-"}],
                    },
                    {"target": "ship.city", "source": "address.city", "transforms": [{"name": "upper"}]},
                    {"target": "note", "template": "For [[payload.customer]] from {{shop}}"},
                    {"target": "warehouse", "variable": "warehouse"},
                    {"target": "rush", "value": False},
                ]
            },
            payloads=[{"id": 7, "address": {"city": "Delft"}, "customer": "Ann"}],
            expect=[
                {
                    "reference": "SO-7",
                    "ship": {"city": "DELFT"},
                    "note": "For Ann from Shoe shop",
                    "warehouse": 3,
                    "rush": False,
                }
            ],
            variables={"shop": "Shoe shop", "warehouse": 3},
        ),
        contract.Example(
            "The lines of every order of a list",
            {
                "rules": [
                    {"target": "lines.*.sku", "source": "items.*.code"},
                    {
                        "target": "lines.*.price",
                        "source": "items.*.price",
                        "transforms": [{"name": "number"}],
                    },
                    {"target": "lines.*.currency", "value": "EUR"},
                    {"target": "skus", "source": "items.*.code"},
                ]
            },
            payloads=[[{"items": [{"code": "a", "price": "9.95"}, {"code": "b"}]}, {}]],
            expect=[
                [
                    {
                        "lines": [
                            {"sku": "a", "price": 9.95, "currency": "EUR"},
                            {"sku": "b", "currency": "EUR"},
                        ],
                        "skus": ["a", "b"],
                    },
                    {"lines": []},
                ]
            ],
        ),
        contract.Example(
            "Only the records at a path",
            {"path": "lines", "rules": [{"target": "sku", "source": "code"}]},
            payloads=[{"id": 1, "lines": [{"code": "a", "x": 1}]}],
            expect=[{"id": 1, "lines": [{"sku": "a"}]}],
        ),
    ],
)
