"""A connector in the making, out of a document that somebody else wrote: nothing of it is believed to have a shape."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

MAX_ENDPOINTS: Final = 2000
MAX_WARNINGS: Final = 100
MAX_NAME: Final = 255
MAX_DESCRIPTION: Final = 2000
_NO_KEY = re.compile(r"[^A-Za-z0-9_.]+")
_MAX_KEY = 90
_NO_VARIABLE = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass
class Sketch:
    """What was found so far. `endpoints` are as in a connector's document, each with a key of its own."""

    name: str = ""
    description: str = ""
    base_url: str | None = None
    auth: dict[str, str] = field(default_factory=lambda: {"type": "none"})
    headers: dict[str, str] = field(default_factory=dict)
    variables: dict[str, dict[str, Any]] = field(default_factory=dict)
    endpoints: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _keys: dict[str, int] = field(default_factory=dict)
    _left_out: int = 0

    @property
    def is_full(self) -> bool:
        return len(self.endpoints) >= MAX_ENDPOINTS

    def warn(self, text: str) -> None:
        """Note what was left out, once; many of them are only counted."""
        if text not in self.warnings:
            if len(self.warnings) < MAX_WARNINGS:
                self.warnings.append(text)
            else:
                self._left_out += 1

    @property
    def all_warnings(self) -> list[str]:
        if not self._left_out:
            return self.warnings
        return [*self.warnings, f"And {self._left_out:,} more of this kind."]

    def add(self, key: str, endpoint: Mapping[str, Any]) -> None:
        """Take an endpoint in, under this key or one like it."""
        self.endpoints.append({"key": self._free(key), **endpoint})

    def _free(self, key: str) -> str:
        wanted = _NO_KEY.sub("-", key).strip("-.")[:_MAX_KEY] or "endpoint"
        found = wanted
        while found in self._keys:
            self._keys[wanted] += 1
            found = f"{wanted}-{self._keys[wanted]}"
        self._keys[found] = 1
        return found

    def declare(self, name: str, default: object = None, description: str = "") -> str:
        """Declare a variable under this name or one like it, unless it is there; the name to use."""
        fit = _NO_VARIABLE.sub("_", name)[:100] or "variable"
        variable: dict[str, Any] = self.variables.setdefault(fit, {"name": fit})
        if isinstance(default, str | int | float | bool) and default != "":
            variable.setdefault("default", default)
        if description:
            variable.setdefault("description", description)
        return fit


def mapping(value: object) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> Sequence[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def objects(value: object, limit: int) -> Iterator[Mapping[str, Any]]:
    """The objects among the first items of a list."""
    return (item for item in sequence(value)[:limit] if isinstance(item, dict))


def line(value: object, limit: int = MAX_NAME) -> str:
    """The text of one line that a value is, cut; nothing for what is no text."""
    return " ".join(value.split())[:limit].strip() if isinstance(value, str) else ""


def prose(*values: object) -> str:
    """The texts among the values, one after another, cut."""
    texts = [value.strip() for value in values if isinstance(value, str) and value.strip()]
    return "\n\n".join(texts)[:MAX_DESCRIPTION].strip()
