"""Regular expressions written by users: re2 matches in linear time, so that no pattern can hang a run."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import re2

from flowloom import errors

MAX_PATTERN_CHARACTERS = 1000
MAX_PATTERN_BYTES = 8 * 1024 * 1024


_REFERENCE = re.compile(r"\\([0-9\\]|g<(\w+)>)", re.ASCII)


class BadPattern(ValueError):
    """The text is no pattern, or no replacement for one; the message says why."""


class Pattern:
    """A compiled pattern. Text that is no Unicode (a lone surrogate) matches nothing and stays as it is."""

    __slots__ = ("_compiled",)

    def __init__(self, text: str) -> None:
        options = re2.Options()
        options.max_mem = MAX_PATTERN_BYTES
        options.log_errors = False
        try:
            self._compiled = re2.compile(text, options=options)
        except (re2.error, UnicodeEncodeError) as error:
            raise BadPattern(f"'{text}' is no regular expression (RE2 syntax): {_reason(error)}.") from None

    def found_in(self, text: str) -> bool:
        """Whether the pattern matches anywhere in the text."""
        try:
            return self._compiled.search(text) is not None
        except UnicodeEncodeError:
            return False

    def replacer(self, replacement: str) -> Callable[[str], str]:
        r"""What replaces every match in a text; `\1` and `\g<name>` stand for groups. Raises BadPattern."""
        parts = self._parts(replacement)

        def replaced(match: Any) -> str:
            return "".join([part if isinstance(part, str) else match[part] or "" for part in parts])

        def run(text: str) -> str:
            try:
                return str(self._compiled.sub(replaced, text))
            except UnicodeEncodeError:
                return text

        return run

    def _parts(self, replacement: str) -> list[str | int]:
        """The replacement as text and group numbers; re2's own reading of it spoils non-ASCII text."""
        parts: list[str | int] = []
        end = 0
        for match in _REFERENCE.finditer(replacement):
            parts += [replacement[end : match.start()], "\\" if match[1] == "\\" else self._group(match)]
            end = match.end()
        return [*parts, replacement[end:]]

    def _group(self, reference: re.Match[str]) -> int:
        name = reference[2] or reference[1]
        group = int(name) if name.isdigit() else self._compiled.groupindex.get(name, -1)
        if not 0 <= group <= self._compiled.groups:
            raise BadPattern(f"The pattern has no group '{reference[0]}'.")
        return int(group)


@lru_cache(maxsize=1024)
def parse(text: str) -> Pattern:
    """Compile a pattern. Raises BadPattern."""
    if len(text) > MAX_PATTERN_CHARACTERS:
        raise BadPattern(f"The pattern is longer than {MAX_PATTERN_CHARACTERS} characters.")
    return Pattern(text)


def compile(text: str, field: str = "pattern") -> Pattern:
    """Compile a pattern of a config. Raises errors.Invalid on `field`."""
    try:
        return parse(text)
    except BadPattern as error:
        raise errors.Invalid.field(field, str(error)) from None


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else error
    return reason.decode() if isinstance(reason, bytes) else str(reason)
