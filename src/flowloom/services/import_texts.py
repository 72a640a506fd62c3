"""The text of a document that is imported, JSON or YAML, as a JSON value; what is made to exhaust us is refused."""

from __future__ import annotations

import math
import re
from typing import Any, Final

import msgspec
import yaml

from flowloom import errors

MAX_NODES: Final = 500_000
MAX_DEPTH: Final = 64
_FIELD: Final = "document"
# Without libyaml it is slower, and the same.
_SAFE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN: Final = "tag:yaml.org,2002:"
_JSON_START = re.compile(r"\s*[\[{]")
_TOO_LARGE: Final = (
    f"The document has more than {MAX_NODES:,} values, aliases counted each time; import a part of it."
)
_TOO_DEEP: Final = f"The document is nested deeper than {MAX_DEPTH} levels."


class _Loader(_SAFE):  # type: ignore[misc]
    """YAML as JSON knows it: no dates, and only true and false are booleans."""

    yaml_implicit_resolvers: Final[dict[str, Any]] = {}


_Loader.add_implicit_resolver(f"{_PLAIN}null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver(
    f"{_PLAIN}bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver(
    f"{_PLAIN}int", re.compile(r"^(?:0|[-+]?[1-9][0-9]{0,17})$"), list("-+0123456789")
)
_Loader.add_implicit_resolver(
    f"{_PLAIN}float",
    re.compile(r"^[-+]?(?:[0-9]{1,40}\.[0-9]{1,40}|[0-9]{1,40}\.?[0-9]{0,40}[eE][-+]?[0-9]{1,3})$"),
    list("-+0123456789"),
)
_Loader.add_implicit_resolver(f"{_PLAIN}merge", re.compile(r"^(?:<<)$"), ["<"])


def read(text: str) -> Any:
    """The JSON value that a text holds. Raises errors.Invalid on `document`."""
    if _JSON_START.match(text):
        try:
            return _bounded(msgspec.json.decode(text))
        except RecursionError:
            raise errors.Invalid.field(_FIELD, _TOO_DEEP) from None
        except (msgspec.DecodeError, UnicodeEncodeError):
            pass  # A YAML text may begin so too.
    return _bounded(_yaml(text))


def _yaml(text: str) -> Any:
    try:
        _require_small(text)
        return yaml.load(text, _Loader)  # noqa: S506 (a safe loader)
    except yaml.YAMLError as error:
        raise errors.Invalid.field(
            _FIELD, f"The document is neither JSON nor YAML: {_said(error)}."
        ) from None
    except (ValueError, TypeError):
        raise errors.Invalid.field(_FIELD, "The document is neither JSON nor YAML.") from None


def _said(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "it holds characters that are not allowed"
    return f"{problem}, line {mark.line + 1:,}" if mark is not None else f"{problem}"


def _require_small(text: str) -> None:
    """Raise Invalid for what would be too large or too deep once each alias stands for what it means."""
    sizes: dict[str, tuple[int, int]] = {}
    open_nodes: list[list[Any]] = []
    total = 0
    for event in yaml.parse(text, _SAFE):
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, started, depth = open_nodes.pop()
            if anchor is not None:
                sizes[anchor] = (total - started, depth)
            size, below = 0, depth
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise errors.Invalid.field(
                    _FIELD, f"The alias *{event.anchor[:50]} means itself, or nothing."
                )
            size, below = sizes[event.anchor]
        elif isinstance(event, yaml.NodeEvent):
            size, below = 1, 0
            _require_plain(event)
        else:
            continue
        total += size
        if isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append([event.anchor, total - 1, 0])
        elif isinstance(event, yaml.ScalarEvent) and event.anchor is not None:
            sizes[event.anchor] = (1, 0)
        if open_nodes and not isinstance(event, yaml.CollectionStartEvent):
            open_nodes[-1][2] = max(open_nodes[-1][2], below + 1)
        if total > MAX_NODES:
            raise errors.Invalid.field(_FIELD, _TOO_LARGE)
        if len(open_nodes) + below > MAX_DEPTH:
            raise errors.Invalid.field(_FIELD, _TOO_DEEP)


def _require_plain(event: yaml.NodeEvent) -> None:
    tag = getattr(event, "tag", None)
    if tag is not None:
        raise errors.Invalid.field(_FIELD, f"The tag {tag[:50]} is not read here; remove it.")


def _bounded(value: Any) -> Any:
    """The value with texts as keys. Raises errors.Invalid for what JSON or a database cannot hold, or too much."""
    left = [MAX_NODES]
    found = _plain(value, 0, left)
    try:
        msgspec.json.encode(found)
    except UnicodeEncodeError:
        raise errors.Invalid.field(
            _FIELD, "The document holds a lone surrogate (\\ud800 to \\udfff)."
        ) from None
    return found


def _plain(value: Any, depth: int, left: list[int]) -> Any:
    left[0] -= 1
    if left[0] < 0:
        raise errors.Invalid.field(_FIELD, _TOO_LARGE)
    if depth > MAX_DEPTH:
        raise errors.Invalid.field(_FIELD, _TOO_DEEP)
    match value:
        case dict():
            return {_text(_key(name)): _plain(part, depth + 1, left) for name, part in value.items()}
        case list():
            return [_plain(part, depth + 1, left) for part in value]
        case str():
            return _text(value)
        case float() if not math.isfinite(value):
            return str(value)
    return value


def _key(name: object) -> str:
    """A key as JSON has it: the statuses of answers are numbers in YAML."""
    if isinstance(name, str):
        return name
    return (
        msgspec.json.encode(name).decode()
        if isinstance(name, bool | int | float) or name is None
        else str(name)
    )


def _text(text: str) -> str:
    if "\0" in text:
        raise errors.Invalid.field(_FIELD, "A text in the document holds a NUL character; remove it.")
    return text
