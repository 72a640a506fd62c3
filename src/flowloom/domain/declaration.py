"""What a content type declares of a body: its character set and, for CSV, how it is written.

`text/csv; charset=windows-1252; delimiter=";"; quote="'"; header=absent` says all there is to say. A separator
may also be named: tab, comma, semicolon, pipe, space.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from flowloom.domain import payload

DEFAULT_CHARSET: Final = "utf-8"
_TAB_TYPE = "text/tab-separated-values"
_NAMED = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
# The character sets of texts on the web. Python knows more, some of which are slow or are no text at all.
_CHARSETS = re.compile(r"utf-?8-sig|utf-?(8|16|32)-?([bl]e)?|us-ascii|ascii|(iso-?8859|windows|cp|koi8)[-_]?\w+"
                       r"|latin-?1|gb\w+|big5|euc[-_]\w+|shift[-_]jis|iso-2022-jp")  # fmt: skip
_PARAMETER = re.compile(r""";\s*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^;\s]*))""")


class Unreadable(Exception):
    """A body is not what its content type says, or the content type declares what cannot be; `why` tells.

    `parameter` is the name of the one that is wrong, if the content type is.
    """

    def __init__(self, why: str, parameter: str | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.parameter = parameter


class Unwritable(Exception):
    """A body cannot be written as its content type says; `why` tells."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Declaration:
    """`charset` None is not declared: the XML itself may say, else it is UTF-8."""

    media_type: str
    charset: str | None = None
    delimiter: str = ","
    quote: str = '"'
    has_header: bool = True

    @property
    def encoding(self) -> str:
        return self.charset or DEFAULT_CHARSET

    @property
    def content_type(self) -> str:
        """What declares this again; what is the default is left out."""
        parts = [self.media_type, *([f"charset={self.charset}"] if self.charset else [])]
        if payload.kind_of(self.media_type) == "csv":
            parts += [f"delimiter={_quoted(self.delimiter)}"] if self.delimiter != _delimiter_of(self) else []
            parts += [f"quote={_quoted(self.quote)}"] if self.quote != '"' else []
            parts += [] if self.has_header else ["header=absent"]
        return "; ".join(parts)


def parse(content_type: str, options: Mapping[str, str] | None = None) -> Declaration:
    """What a content type declares; `options` (charset, delimiter, quote, header) go before its own parameters.

    Raises Unreadable naming the parameter that cannot be.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    given = {**_parameters(content_type), **(options or {})}
    charset = _charset(given["charset"]) if "charset" in given else None
    declared = Declaration(media_type, charset)
    if payload.kind_of(media_type) != "csv":
        return declared
    quote = _character("quote", given.get("quote", '"'))
    delimiter = _character("delimiter", given.get("delimiter", _delimiter_of(declared)))
    if quote == delimiter:
        raise Unreadable("The delimiter and the quote of CSV are two different characters.", "delimiter")
    return Declaration(media_type, charset, delimiter, quote, _has_header(given.get("header", "present")))


def decode(raw: bytes, charset: str) -> str:
    """The text of bytes, without a byte order mark. Raises Unreadable naming the character set and the byte."""
    try:
        return raw.decode(reading(charset))
    except UnicodeDecodeError as error:
        raise undecodable(charset, error, 0) from None


def reading(charset: str) -> str:
    """The codec that reads a character set: UTF-8 comes with a byte order mark or without."""
    return "utf-8-sig" if charset in ("utf-8", "utf8") else charset


def undecodable(charset: str, error: UnicodeDecodeError, before: int) -> Unreadable:
    """What to say of a byte that is none of the character set; `before` counts the bytes before this part."""
    byte, at = error.object[error.start], before + error.start
    return Unreadable(f"The byte 0x{byte:02x} at position {at:,} is no {charset}; declare its charset.")


def encode(text: str, charset: str) -> bytes:
    """The bytes of a text. Raises Unwritable naming the character that the character set lacks."""
    try:
        return text.encode(charset)
    except UnicodeEncodeError as error:
        character = error.object[error.start]
        raise Unwritable(
            f"The character {character!r} is not in {charset}; declare another charset."
        ) from None


def _parameters(content_type: str) -> dict[str, str]:
    found = {}
    for name, quoted, single, plain in _PARAMETER.findall(content_type):
        found[name.lower()] = (
            (quoted if quoted == "\\t" else re.sub(r"\\(.)", r"\1", quoted)) or single or plain
        )
    return found


def _charset(text: str) -> str:
    name = text.strip().lower()
    try:
        codecs.lookup(name if _CHARSETS.fullmatch(name) else "")
    except LookupError:
        raise Unreadable(f"'{text[:40]}' is no character set that is read here.", "charset") from None
    return name


def _character(name: str, text: str) -> str:
    character = _NAMED.get(text.lower(), text)
    if len(character) != 1 or character.isalnum() or character in "\r\n\0\ufeff":
        raise Unreadable(
            f"The {name} of CSV is one character, no letter or digit, not '{text[:20]}'; put it in quotes.",
            name,
        )
    return character


def _has_header(text: str) -> bool:
    if text not in ("present", "absent"):
        raise Unreadable(f"The header of CSV is present or absent, not '{text[:20]}'.", "header")
    return text == "present"


def _delimiter_of(declared: Declaration) -> str:
    """The delimiter that the media type stands for."""
    return "\t" if declared.media_type == _TAB_TYPE else ","


def _quoted(character: str) -> str:
    if character == "\t":
        return "tab"
    return f'"\\{character}"' if character in '"\\' else f'"{character}"'
