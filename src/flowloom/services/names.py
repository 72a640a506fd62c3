"""Names that people give to things, where no model of a request's body has judged them yet."""

from __future__ import annotations

from typing import Final

from flowloom import errors

MAX_NAME: Final = 255


def require(field: str, text: str) -> str:
    """The text without white space around it. Raises Invalid unless 1 to 255 characters are left that can be stored."""
    name = text.strip()
    if not 1 <= len(name) <= MAX_NAME:
        raise errors.Invalid.field(
            field, f"The {field} has 1 to {MAX_NAME} characters, and not only white space."
        )
    if "\0" in name or not name.isprintable() or any("\ud800" <= letter <= "\udfff" for letter in name):
        raise errors.Invalid.field(
            field, f"The {field} holds a control character or broken text; write it anew."
        )
    return name
