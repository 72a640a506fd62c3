"""Templates: `{{variable}}`, `[[payload.path]]` and `[[meta.key]]` in the strings of a config.

A template is compiled once and filled in per payload. What is filled in is never read as a template.
An unclosed placeholder, `{{}}`, and `[[` before anything but a letter are plain text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal
from urllib.parse import quote

import msgspec

from flowloom import errors
from flowloom.domain import lookup, payload

_PLACEHOLDER = re.compile(r"\{\{([^{}]+)\}\}|\[\[(\s*[A-Za-z_][^\[\]]*)\]\]")
# A longer text is compiled anew where it is needed rather than kept in memory for good.
MAX_CACHED_CHARACTERS = 2000
_PATH_END = re.compile("[?#]")
_VARIABLE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,200}")


class Scope(msgspec.Struct, frozen=True):
    """What a template or condition sees: the run's variables and instant, a payload's body and meta.

    `lookups` are the lookup tables that a map's transforms read.
    """

    variables: Mapping[str, object]
    payload: object
    now: datetime
    meta: Mapping[str, str] = msgspec.field(default_factory=dict)
    lookups: lookup.Lookups = msgspec.field(default_factory=lambda: lookup.NONE)


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One `{{variable}}`, `[[payload.path]]` or `[[meta.key]]`."""

    root: Literal["variable", "payload", "meta"]
    name: str
    path: payload.Path = payload.ROOT

    def value(self, scope: Scope) -> object:
        """What stands there now; None when there is nothing."""
        if self.root == "payload":
            return self.path.get(scope.payload, None)
        return (scope.variables if self.root == "variable" else scope.meta).get(self.name)


class Template:
    """A compiled string. `variables` are the names of the flow variables it uses."""

    __slots__ = ("_parts", "text", "variables")

    def __init__(self, text: str, parts: tuple[str | Placeholder, ...]) -> None:
        self.text = text
        self.variables = frozenset(
            part.name for part in parts if isinstance(part, Placeholder) and part.root == "variable"
        )
        self._parts = parts

    def __repr__(self) -> str:
        return f"Template({self.text!r})"

    @property
    def is_constant(self) -> bool:
        return all(isinstance(part, str) for part in self._parts)

    def value(self, scope: Scope) -> object:
        """The JSON value of a template that is exactly one placeholder (None when missing), else the text."""
        if len(self._parts) == 1 and isinstance(self._parts[0], Placeholder):
            return self._parts[0].value(scope)
        return self.render(scope)

    def render(self, scope: Scope) -> str:
        """The text: strings as they are, None and missing as nothing, everything else as compact JSON."""
        return "".join([part if isinstance(part, str) else _text(part.value(scope)) for part in self._parts])

    def render_url(self, scope: Scope) -> str:
        """Like `render`, but values from payload and meta are percent-encoded; variables stay as they are.

        Raises errors.Invalid on `url` for a value that is "." or ".." in the path: it would lead elsewhere.
        """
        url = ""
        for part in self._parts:
            text = part if isinstance(part, str) else _url_text(part, scope)
            if _is_climbing(part, text) and not _PATH_END.search(url):
                raise errors.Invalid.field(
                    "url", f"The URL {self.text} cannot be filled in with the value '{text}'."
                )
            url += text
        return url


@dataclass(frozen=True, slots=True)
class Tree:
    """A compiled JSON value. `value(scope)` fills in its strings; a constant is given back, not copied."""

    value: Callable[[Scope], object]
    variables: frozenset[str]
    is_constant: bool


def compile(text: str, field: str = "template") -> Template:
    """Compile one string. Raises errors.Invalid on `field` for an unknown root or a bad path or name."""
    try:
        return _parse(text) if len(text) <= MAX_CACHED_CHARACTERS else _parse.__wrapped__(text)
    except ValueError as error:
        raise errors.Invalid.field(field, str(error)) from None


def compile_tree(value: object, field: str = "template") -> Tree:
    """Compile every string of a JSON value; keys stay. Raises errors.Invalid on the place below `field`."""
    if isinstance(value, str):
        template = compile(value, field)
        return Tree(template.value, template.variables, template.is_constant)
    if isinstance(value, Mapping):
        return _object_tree(value, {key: compile_tree(item, f"{field}.{key}") for key, item in value.items()})
    if isinstance(value, list | tuple):
        return _list_tree(value, [compile_tree(item, f"{field}.{at}") for at, item in enumerate(value)])
    return Tree(lambda scope: value, frozenset(), True)


def variables_in(value: object) -> frozenset[str]:
    """The variables that the strings of a JSON value use; a placeholder that is wrong is passed over."""
    if isinstance(value, str):
        names = (found[0].strip() for found in _PLACEHOLDER.findall(value))
        return frozenset(name for name in names if _VARIABLE_NAME.fullmatch(name))
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return frozenset().union(*(variables_in(item) for item in value))
    return frozenset()


def is_variable_name(name: str) -> bool:
    """Whether a flow variable may be called so: letters, digits, `_`, `-` and `.`, up to 200 of them."""
    return _VARIABLE_NAME.fullmatch(name) is not None


def _object_tree(value: Mapping[str, object], trees: Mapping[str, Tree]) -> Tree:
    variables, is_constant = _summary(trees.values())
    if is_constant:
        return Tree(lambda scope: value, variables, True)
    fills = [(key, tree.value) for key, tree in trees.items()]
    return Tree(lambda scope: {key: fill(scope) for key, fill in fills}, variables, False)


def _list_tree(value: object, trees: list[Tree]) -> Tree:
    variables, is_constant = _summary(trees)
    if is_constant:
        return Tree(lambda scope: value, variables, True)
    fills = [tree.value for tree in trees]
    return Tree(lambda scope: [fill(scope) for fill in fills], variables, False)


def _summary(trees: Collection[Tree]) -> tuple[frozenset[str], bool]:
    return frozenset().union(*(tree.variables for tree in trees)), all(tree.is_constant for tree in trees)


@lru_cache(maxsize=4096)
def _parse(text: str) -> Template:
    """Raises ValueError naming the placeholder that is wrong."""
    parts: list[str | Placeholder] = []
    end = 0
    for match in _PLACEHOLDER.finditer(text):
        parts += [text[end : match.start()], _placeholder(match)]
        end = match.end()
    parts.append(text[end:])
    return Template(text, tuple(part for part in parts if part != ""))


def _placeholder(match: re.Match[str]) -> Placeholder:
    if match[1] is not None:
        return _variable(match[1].strip())
    root, dot, rest = match[2].strip().partition(".")
    if root == "payload" and not dot:
        return Placeholder("payload", "")
    if root == "payload":
        return _payload_placeholder(rest)
    if root == "meta" and rest:
        return Placeholder("meta", rest)
    raise ValueError(
        f"{match[0]} is unknown; allowed: [[payload]], [[payload.path]], [[meta.key]], {{{{variable}}}}."
    )


def _payload_placeholder(path: str) -> Placeholder:
    try:
        return Placeholder("payload", path, payload.compile_path(path))
    except errors.Invalid as error:
        raise ValueError(f"[[payload.{path}]]: {error.message}") from None


def _variable(name: str) -> Placeholder:
    if not is_variable_name(name):
        raise ValueError(
            f"{{{{{name}}}}} names no variable; a name has letters, digits, '_', '-' and '.' only."
        )
    return Placeholder("variable", name)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(value).decode()


def _url_text(part: Placeholder, scope: Scope) -> str:
    text = _text(part.value(scope))
    return text if part.root == "variable" else quote(text, safe="", errors="replace")


def _is_climbing(part: str | Placeholder, text: str) -> bool:
    """Whether a value from outside, filled in as a segment of a path, would name this or the upper folder."""
    return isinstance(part, Placeholder) and text in (".", "..")
