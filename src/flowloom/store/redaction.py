"""Taking secrets out of what is kept and shown, in every form that requests, answers and logs write them in.

A form is plain, hex or base64 at any alignment, and any of its characters may be escaped as JSON, URLs and HTML do
it: what holds escapes is looked at without them too, and what is found there is taken out of where it came from.
"""

from __future__ import annotations

import base64
import codecs
import functools
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from flowloom.store import escapes
from flowloom.store.escapes import Span

REDACTED: Final = "[redacted]"
_MARK: Final = REDACTED.encode()
# A number that is a secret becomes this one, so that JSON stays JSON.
_NO_NUMBER: Final = b"0"
# Replacing what is shorter would hide the text, not the secret; JSON could not do without the words.
_SHORTEST: Final = 4
_WORDS: Final = frozenset({"true", "false", "null"})
# Fewer characters of base64 stand by chance in many an image.
_SHORTEST_BASE64: Final = 5
# A shorter secret may be part of a word of business data: in a body it is one only where it stands alone.
_SURE: Final = 8
_NUMBER: Final = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_UTF8: Final = frozenset({"utf-8", "utf-8-sig", "ascii"})
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHARSET: Final = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
# What may be found in one body after another was taken out of it; more is nobody's text.
_ROUNDS: Final = 8


def text(words: str, secrets: Iterable[str]) -> str:
    """A text without these secrets, wherever they stand in it; those of less than four characters are left."""
    raw = _cleaned(words.encode(errors="surrogatepass"), secrets, is_body=False)
    return raw.decode(errors="surrogatepass")


def body(raw: bytes, secrets: Collection[str], content_type: str = "") -> bytes:
    """A body without these secrets; one of less than eight characters is left where it is part of a word."""
    charset = _charset(raw, content_type)
    if charset is not None:
        try:
            return _recoded(raw, secrets, charset)
        except (LookupError, UnicodeError):
            pass
    raw = _cleaned(raw, secrets, is_body=True)
    return raw if raw.isascii() or all(map(str.isascii, secrets)) else _cleaned_latin(raw, secrets)


def _recoded(raw: bytes, secrets: Collection[str], charset: str) -> bytes:
    """Raises LookupError for an unknown character set, UnicodeError for a body that is not written in it."""
    before = raw.decode(charset).encode(errors="surrogatepass")
    after = _cleaned(before, secrets, is_body=True)
    return raw if after == before else after.decode(errors="surrogatepass").encode(charset)


def _cleaned_latin(raw: bytes, secrets: Collection[str]) -> bytes:
    """Without the secrets in Latin-1, which nothing declares; what is UTF-8 is left."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return _recoded(raw, secrets, "latin-1")
    return raw


def _charset(raw: bytes, content_type: str) -> str | None:
    """The character set of a body, None of what looks like ASCII where it is ASCII."""
    for mark, name in _MARKS:
        if raw.startswith(mark):
            return name
    declared = _CHARSET.search(content_type)
    if declared is not None and declared[1].lower() not in _UTF8:
        return declared[1]
    return {0: "utf-16-be", 1: "utf-16-le"}.get(raw[:2].find(b"\0")) if raw.count(b"\0", 0, 4) == 2 else None


@dataclass(frozen=True, slots=True)
class _Form:
    """A way in which a secret is written, and what is written instead. `is_alone`: it counts as a word only."""

    raw: bytes
    mark: bytes
    is_alone: bool = False

    def spans(self, raw: bytes) -> Iterator[Span]:
        """Where it stands."""
        at = raw.find(self.raw)
        while at >= 0:
            end = at + len(self.raw)
            if not self.is_alone or not (_is_word(raw[at - 1 : at]) or _is_word(raw[end : end + 1])):
                yield Span(at, end, self.mark)
            at = raw.find(self.raw, end)


@dataclass(frozen=True, slots=True)
class _Forms:
    """All forms of some secrets; `hold_marks`: one has what looks like the beginning of an escape."""

    longest_first: Sequence[_Form]
    hold_marks: bool


def _is_word(byte: bytes) -> bool:
    return byte.isalnum() or byte == b"_"


def _cleaned(raw: bytes, secrets: Iterable[str], *, is_body: bool) -> bytes:
    forms = _forms(frozenset(secrets), is_body=is_body)
    raw = _without(raw, _found(raw, forms))
    if not any(mark in raw for mark in escapes.MARKS):
        return raw
    for _ in range(_ROUNDS):
        spans = _found_escaped(raw, forms)
        if not spans:
            break
        raw = _without(raw, spans)
    return raw


def _found_escaped(raw: bytes, forms: _Forms, first: int = 0) -> list[Span]:
    """Where forms stand in a text once the escapes that it is written in are undone, from the outermost ones on.

    A secret that has what looks like an escape may be lost with too many undone, so fewer are tried too.
    """
    tried: escapes.Way | None = None
    for number, way in enumerate(escapes.ORDER[first:], first):
        if way is tried or way.mark not in raw:
            continue
        tried, layer = way, escapes.Layer(way, raw)
        spans = _found(layer.plain, forms) or _found_escaped(layer.plain, forms, number + 1)
        if spans or not forms.hold_marks:
            return layer.outer(spans) if spans else []
    return []


def _found(raw: bytes, forms: _Forms) -> list[Span]:
    return [span for form in forms.longest_first if form.raw in raw for span in form.spans(raw)]


def _without(raw: bytes, spans: Sequence[Span]) -> bytes:
    """The bytes with each span replaced by its mark, those that touch each other by one."""
    parts, at = [], 0
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if span.start >= at:
            parts += [raw[at : span.start], span.mark]
        at = max(at, span.end)
    return b"".join([*parts, raw[at:]]) if parts else raw


@functools.lru_cache(maxsize=1024)
def _forms(secrets: frozenset[str], *, is_body: bool) -> _Forms:
    found = [
        form
        for secret in secrets
        if _is_taken(secret, is_body)
        for form in _forms_of(secret, is_body=is_body)
    ]
    hold_marks = any(mark in form.raw for form in found for mark in escapes.MARKS)
    return _Forms(sorted(set(found), key=lambda form: len(form.raw), reverse=True), hold_marks)


def _is_taken(secret: str, is_body: bool) -> bool:
    return len(secret) >= _SHORTEST and secret not in REDACTED and not (is_body and secret in _WORDS)


def _forms_of(secret: str, *, is_body: bool) -> Iterator[_Form]:
    raw = secret.encode(errors="surrogatepass")
    mark = _NO_NUMBER if is_body and _NUMBER.fullmatch(secret) else _MARK
    for plain in {raw, raw.replace(b" ", b"+")}:
        yield _Form(plain, mark, is_alone=is_body and len(secret) < _SURE)
    shortest = _SHORTEST_BASE64 if is_body else _SHORTEST
    for encoded in (*_base64_forms(raw, shortest), raw.hex(), raw.hex().upper()):
        yield _Form(encoded.encode(), _MARK)


def _base64_forms(raw: bytes, shortest: int) -> set[str]:
    """The secret alone, and inside a longer text at each of the three alignments."""
    whole = base64.b64encode(raw).decode()
    forms = {whole, whole.rstrip("=")}
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + raw).decode()
        # Only characters made of nothing but the secret's bits: the edges depend on the neighbours.
        forms.add(encoded[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6])
    forms = {form for form in forms if len(form) >= shortest}
    return forms | {form.translate(str.maketrans("+/", "-_")) for form in forms}
