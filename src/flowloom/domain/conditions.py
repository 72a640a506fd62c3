"""Conditions: a tree of data, compiled once to closures that say whether a record satisfies it.

A node is `{all|any|not: [...]}` (not: none of them may hold) or `{field, operator, value?}`. `field` is a
path on the record (`.` is the record itself) or a template like `[[meta.key]]`; `value` may hold templates.
With `*` in the field any of its values satisfies; a negative operator asks that none does the opposite.
What the operators mean stands in `comparison`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flowloom import errors
from flowloom.domain import comparison, pattern, payload, templates
from flowloom.domain.templates import Scope

MAX_DEPTH = 20
MAX_NODES = 500

Holds = Callable[[object, Scope], bool]

_GROUPS = ("all", "any", "not")
_LEAF_KEYS = ("field", "operator", "value")
_NAME_THE_FIELD = "Name the field to look at, such as 'lines.*.price'."


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled tree. `holds(record, scope)` is the bare closure, for loops over many records."""

    holds: Holds
    variables: frozenset[str]

    def __call__(self, record: object, scope: Scope) -> bool:
        return self.holds(record, scope)


def compile(where: object, field: str = "where") -> Condition:
    """Compile a tree. Raises errors.Invalid on the place below `field` (`where.all.0.operator`).

    Where nothing is wrong but parts are missing it is errors.Incomplete, on the place of each.
    """
    compiler = _Compiler()
    holds = compiler.node(where, field, 1)
    if compiler.missing:
        raise errors.Incomplete(compiler.missing)
    return Condition(holds, frozenset(compiler.variables))


class _Compiler:
    """One walk over one tree: counts its nodes and collects its variables, and what is missing in it."""

    def __init__(self) -> None:
        self.nodes = 0
        self.variables: set[str] = set()
        self.missing: dict[str, list[str]] = {}

    def node(self, node: object, place: str, depth: int) -> Holds:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise errors.Invalid.field(place, f"The condition has more than {MAX_NODES} parts.")
        if depth > MAX_DEPTH:
            raise errors.Invalid.field(place, f"The condition is nested deeper than {MAX_DEPTH}.")
        if not isinstance(node, Mapping):
            raise errors.Invalid.field(
                place, "A condition is {all|any|not: [...]} or {field, operator, value}."
            )
        group = next((name for name in _GROUPS if name in node), None)
        return self.leaf(node, place) if group is None else self.group(node, group, place, depth)

    def group(self, node: Mapping[str, object], name: str, place: str, depth: int) -> Holds:
        _refuse_others(node, (name,), place)
        members = node[name]
        if not isinstance(members, list | tuple):
            raise errors.Invalid.field(f"{place}.{name}", f"'{name}' takes a list of conditions.")
        parts = [self.node(part, f"{place}.{name}.{at}", depth + 1) for at, part in enumerate(members)]
        if name == "all":
            return _every(parts)
        return _some(parts) if name == "any" else _negation(_some(parts))

    def leaf(self, node: Mapping[str, object], place: str) -> Holds:
        _refuse_others(node, _LEAF_KEYS, place)
        self.note_missing(node, place)
        operator = _operator(node, place) if "operator" in node else None
        field = self.field(node, place) if "field" in node else None
        value = self.value(node, operator, place) if "value" in node else None
        if operator is None or field is None:
            return _never
        if operator.takes == "nothing":
            return _with_test(field, operator.test(None), operator.negated)
        if value is None:
            return _never
        if value.is_constant:
            return _with_test(field, operator.test(value.constant), operator.negated)
        return _with_changing_test(field, operator, value.read)

    def note_missing(self, node: Mapping[str, object], place: str) -> None:
        operator = comparison.OPERATORS.get(str(node.get("operator")))
        if "field" not in node:
            self.missing[f"{place}.field"] = [_NAME_THE_FIELD]
        if "operator" not in node:
            self.missing[f"{place}.operator"] = [f"The condition has no operator; {_allowed()}."]
        if "value" not in node and operator is not None and operator.takes != "nothing":
            self.missing[f"{place}.value"] = [f"The operator '{node['operator']}' needs a value."]

    def field(self, node: Mapping[str, object], place: str) -> _Field:
        text = node["field"]
        if not isinstance(text, str):
            raise errors.Invalid.field(f"{place}.field", _NAME_THE_FIELD)
        template = templates.compile(text, f"{place}.field")
        if template.is_constant:
            return payload.compile_path(text, f"{place}.field")
        self.variables |= template.variables
        return template

    def value(
        self, node: Mapping[str, object], operator: comparison.Operator | None, place: str
    ) -> _Value | None:
        """What stands there for the operator; None when it takes nothing, or is not known yet."""
        if operator is not None and operator.takes == "nothing":
            return None
        place = f"{place}.value"
        tree = templates.compile_tree(node["value"], place)
        self.variables |= tree.variables
        if operator is None:
            return None
        _check_shape(node["value"], tree, operator, place)
        if operator.takes == "date":
            return _date_value(node["value"], tree, place)
        return _Value(tree.value, tree.is_constant, node["value"])


_Field = payload.Path | templates.Template


@dataclass(frozen=True, slots=True)
class _Value:
    """What a field is compared with: read anew for each record, or the constant."""

    read: Callable[[Scope], object]
    is_constant: bool
    constant: object


def _refuse_others(node: Mapping[str, object], allowed: tuple[str, ...], place: str) -> None:
    if others := sorted(set(node) - set(allowed)):
        message = f"Unknown key '{others[0]}' in a condition; here it has: {', '.join(allowed)}."
        raise errors.Invalid.field(f"{place}.{others[0]}", message)


def _operator(node: Mapping[str, object], place: str) -> comparison.Operator:
    name = node.get("operator")
    found = comparison.OPERATORS.get(name) if isinstance(name, str) else None
    if found is None:
        raise errors.Invalid.field(f"{place}.operator", f"Unknown operator '{name}'; {_allowed()}.")
    return found


def _allowed() -> str:
    return f"allowed: {', '.join(comparison.OPERATORS)}"


def _never(record: object, scope: Scope) -> bool:
    return False


def _check_shape(value: object, tree: templates.Tree, operator: comparison.Operator, place: str) -> None:
    """Refuse a value that the operator cannot work with; a template may still turn out to be right."""
    if isinstance(value, str) and not tree.is_constant:
        return
    if operator.takes == "list" and not isinstance(value, list):
        raise errors.Invalid.field(place, "The value is a list, or a template that gives one.")
    if operator.takes == "pair" and not (isinstance(value, list) and len(value) == 2):
        raise errors.Invalid.field(place, "The value is a list of two: [low, high].")
    if operator.takes == "pattern":
        _check_pattern(value, place)


def _check_pattern(value: object, place: str) -> None:
    if not isinstance(value, str):
        raise errors.Invalid.field(place, "The value is a regular expression, written as a string.")
    pattern.compile(value, place)


def _date_value(value: object, tree: templates.Tree, place: str) -> _Value:
    absolute = comparison.moment(value)
    if absolute is not None:
        return _Value(lambda scope: absolute, True, absolute)
    if tree.is_constant and not comparison.is_relative_date(value):
        allowed = "an ISO date or time, now, today, yesterday, or a distance such as '-7 days'"
        raise errors.Invalid.field(place, f"'{value}' is no date; allowed: {allowed}.")
    read = tree.value
    return _Value(lambda scope: comparison.instant(read(scope), scope.now), False, None)


def _with_test(field: _Field, test: comparison.Test, negated: bool) -> Holds:
    """The closure of a leaf whose value is constant: as few calls for each record as its field allows."""
    if isinstance(field, templates.Template):
        read = field.value
        return lambda record, scope: test(read(scope)) is not negated
    if field.only_key is not None:
        return _with_key(field, field.only_key, test, negated)
    if field.stars:
        return lambda record, scope: any(test(value) for value in field.get_all(record)) is not negated
    return lambda record, scope: test(field.get(record)) is not negated


def _with_key(path: payload.Path, key: str, test: comparison.Test, negated: bool) -> Holds:
    missing = payload.MISSING

    def holds(record: object, scope: Scope) -> bool:
        return test(record.get(key, missing) if type(record) is dict else path.get(record))

    def holds_not(record: object, scope: Scope) -> bool:
        return not test(record.get(key, missing) if type(record) is dict else path.get(record))

    return holds_not if negated else holds


def _with_changing_test(
    field: _Field, operator: comparison.Operator, read: Callable[[Scope], object]
) -> Holds:
    """The closure of a leaf whose value is a template; made anew only when the value is another object."""
    last: tuple[object, Holds] = (payload.MISSING, lambda record, scope: False)

    def holds(record: object, scope: Scope) -> bool:
        nonlocal last
        value = read(scope)
        known, test = last
        if known is not value:
            test = _with_test(field, operator.test(value), operator.negated)
            last = (value, test)
        return test(record, scope)

    return holds


def _every(parts: list[Holds]) -> Holds:
    if len(parts) < 2:
        return parts[0] if parts else lambda record, scope: True
    half = len(parts) // 2
    first, second = _every(parts[:half]), _every(parts[half:])
    return lambda record, scope: first(record, scope) and second(record, scope)


def _some(parts: list[Holds]) -> Holds:
    if len(parts) < 2:
        return parts[0] if parts else lambda record, scope: False
    half = len(parts) // 2
    first, second = _some(parts[:half]), _some(parts[half:])
    return lambda record, scope: first(record, scope) or second(record, scope)


def _negation(part: Holds) -> Holds:
    return lambda record, scope: not part(record, scope)
