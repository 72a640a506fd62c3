"""Transforms of text."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from urllib.parse import quote

from flowloom import errors
from flowloom.domain import pattern
from flowloom.domain.transforms import spec
from flowloom.domain.transforms.spec import Argument, Function, Transform, TransformFailed, read_text

_NOT_IN_SLUG = re.compile(r"[^a-z0-9]+")


def _on_text(help: str, function: Callable[[str], object]) -> Transform:
    return spec.simple(help, lambda value: function(read_text(value)))


def _replace(find: str, new: str) -> Function:
    def run(value: object) -> object:
        text = read_text(value)
        spec.refuse_long(len(text) + text.count(find) * len(new))
        return text.replace(find, new)

    return run


def _regex_replace(find: str, new: str) -> Function:
    compiled = pattern.compile(find, "find")
    try:
        replace = compiled.replacer(new)
    except pattern.BadPattern as error:
        raise errors.Invalid.field("with", str(error)) from None

    def run(value: object) -> object:
        text = read_text(value)
        spec.refuse_long((len(text) + 1) * (len(new) + 1))
        return replace(text)

    return run


def _substring(start: int, length: int | None) -> Function:
    def run(value: object) -> object:
        tail = read_text(value)[start:]
        return tail if length is None else tail[:length]

    return run


def _pad(length: int, character: str, side: str) -> Function:
    justified = str.rjust if side == "start" else str.ljust
    return lambda value: justified(read_text(value), length, character)


def _prefix(text: str) -> Function:
    return lambda value: text + read_text(value)


def _suffix(text: str) -> Function:
    return lambda value: read_text(value) + text


def _split(by: str) -> Function:
    return lambda value: read_text(value).split(by)


def _join(by: str) -> Function:
    def run(value: object) -> object:
        texts = ["" if item is None else read_text(item) for item in spec.read_list(value)]
        spec.refuse_long(sum(map(len, texts)) + len(by) * len(texts))
        return by.join(texts)

    return run


def _concat(values: list[object], separator: str) -> Function:
    tail = "".join(separator + read_text(value) for value in values)
    return lambda value: read_text(value) + tail


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return _NOT_IN_SLUG.sub("-", plain.lower()).strip("-")


def _encoded(text: str) -> bytes:
    return text.encode(errors="replace")


def _base64_decoded(text: str) -> str:
    try:
        return base64.b64decode(_encoded(text), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise TransformFailed("expects text in base64") from None


TRANSFORMS: Mapping[str, Transform] = {
    "upper": _on_text("In capitals.", str.upper),
    "lower": _on_text("In small letters.", str.lower),
    "trim": _on_text("Without the space around it.", str.strip),
    "title": _on_text("Each word with a capital.", str.title),
    "replace": Transform(
        "Every `find` becomes `with`.",
        _replace,
        (Argument("find", low=1), Argument("with", default="")),
    ),
    "regex_replace": Transform(
        r"Every match of the regular expression `find` becomes `with`, in which `\1` is its first group.",
        _regex_replace,
        (Argument("find", low=1), Argument("with", default="", high=1000)),
    ),
    "substring": Transform(
        "`length` characters from `start`, counted from 0, or from the end when negative.",
        _substring,
        (Argument("start", "integer"), Argument("length", "integer", default=None, low=0)),
    ),
    "pad": Transform(
        "At least `length` characters, filled up at the start or the end.",
        _pad,
        (
            Argument("length", "integer", low=0, high=10_000),
            Argument("with", default=" ", low=1, high=1),
            Argument("side", default="start", choices=("start", "end")),
        ),
    ),
    "prefix": Transform("`text` before it.", _prefix, (Argument("text"),)),
    "suffix": Transform("`text` after it.", _suffix, (Argument("text"),)),
    "split": Transform("The list of its parts between `by`.", _split, (Argument("by", default=",", low=1),)),
    "join": Transform(
        "The items of a list as one text, `by` between them.", _join, (Argument("by", default=","),)
    ),
    "concat": Transform(
        "The text, then each of `values`, `separator` between them.",
        _concat,
        (Argument("values", "list"), Argument("separator", default="")),
    ),
    "slug": _on_text("For a URL: small letters, digits and hyphens.", _slug),
    "url_encode": _on_text("Percent-encoded.", lambda text: quote(text, safe="", errors="replace")),
    "base64_encode": _on_text("In base64.", lambda text: base64.b64encode(_encoded(text)).decode()),
    "base64_decode": _on_text("Read from base64.", _base64_decoded),
    "hash": _on_text("Its SHA-256, in hexadecimal.", lambda text: hashlib.sha256(_encoded(text)).hexdigest()),
}
