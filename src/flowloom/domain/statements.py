"""SQL statements with `:name` parameters: where they stand, and the statement as a driver wants it.

A colon in a text, a quoted name, a comment, a cast (`::date`) or an assignment (`:=`) starts no parameter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from flowloom import errors

Dialect = Literal["postgresql", "mysql", "sqlite"]

_PARAMETER: Final = r"(?<![\w:]):(?P<name>[A-Za-z_]\w*)"
_QUOTED: Final = r"'[^']*(?:'|\Z)|\"[^\"]*(?:\"|\Z)"
_ESCAPED: Final = r"'(?:[^'\\]|\\.)*(?:'|\Z)"
_COMMENT: Final = r"--[^\n]*|/\*.*?(?:\*/|\Z)"
_PASSED_OVER: Final[Mapping[Dialect, str]] = {
    "postgresql": rf"(?<!\w)[eE]{_ESCAPED}|{_QUOTED}|{_COMMENT}|(?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?:(?P=tag)|\Z)",
    "mysql": rf"{_ESCAPED}|\"(?:[^\"\\]|\\.)*(?:\"|\Z)|`[^`]*(?:`|\Z)|{_COMMENT}|\#[^\n]*",
    "sqlite": rf"{_QUOTED}|`[^`]*(?:`|\Z)|\[[^\]]*\]|{_COMMENT}",
}
_TOKENS: Final = {
    dialect: re.compile(f"{passed_over}|{_PARAMETER}", re.DOTALL | re.ASCII)
    for dialect, passed_over in _PASSED_OVER.items()
}


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, taken apart: `texts` has one more entry than `names`, which stand between them."""

    texts: Sequence[str]
    names: Sequence[str]

    def written(self, placeholder: str) -> str:
        """The statement with a driver's placeholders: `{name}` in it is the parameter's; percent signs are doubled."""
        made = [self.texts[0].replace("%", "%%")]
        for name, text in zip(self.names, self.texts[1:], strict=True):
            made += [placeholder.format(name=name), text.replace("%", "%%")]
        return "".join(made)

    def require(self, parameters: Mapping[str, object]) -> None:
        """Raise errors.Invalid on `statement` for a name without a parameter."""
        for name in self.names:
            if name not in parameters:
                message = f"The statement uses :{name}, which is not among its parameters; add it there."
                raise errors.Invalid.field("statement", message)


@lru_cache(maxsize=256)
def parse(text: str, dialect: Dialect) -> Statement:
    """Take a statement apart; a semicolon at its end is dropped."""
    text = text.strip().removesuffix(";")
    texts, names, at = [], [], 0
    for token in _TOKENS[dialect].finditer(text):
        if token["name"] is not None:
            texts.append(text[at : token.start()])
            names.append(token["name"])
            at = token.end()
    return Statement((*texts, text[at:]), tuple(names))
