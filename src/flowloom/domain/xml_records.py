"""XML as an object and back: `{"order": {"@id": "7", "line": [{"sku": "a"}, {"sku": "b"}], "note": "text"}}`.

The one key is the root element. An element with neither attributes nor elements in it is its text; any other is
an object with its attributes as "@name", its elements by name (a list where the same name comes again) and its
text as "#text". Prefixes stay in the names and declarations of namespaces are attributes like any other; comments
and the order among elements of different names are not kept. Entities and external documents are refused.
"""

from __future__ import annotations

import codecs
import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import BinaryIO, Final
from xml.sax import SAXException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

import defusedxml
import msgspec
from defusedxml import expatreader

from flowloom.domain import declaration, payload, portions
from flowloom.domain.declaration import Declaration

MAX_DEPTH: Final = 64

_SPACE = " \t\r\n"
_ENCODING = re.compile(rb"""\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][\w.-]*)["']""")
# Where a document declares its character set.
_HEAD_BYTES = 1024
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NO_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_IN_TEXT = str.maketrans(_ESCAPES)
_IN_ATTRIBUTE = str.maketrans({**_ESCAPES, '"': "&quot;", "\t": "&#9;", "\n": "&#10;"})


def decode(raw: bytes, declared: Declaration) -> object:
    """The object of a document, None of an empty one. Raises declaration.Unreadable."""
    return read(declaration.decode(raw, _charset(raw, declared)))


def read(text: str) -> object:
    """The object of a document, None of an empty one. Raises declaration.Unreadable naming the line."""
    if not text.strip():
        return None
    parser, reader = expatreader.create_parser(), _Reader()
    parser.setContentHandler(reader)
    with _parsing():
        parser.feed(text)
        parser.close()
    return reader.body


def records(file: BinaryIO, declared: Declaration, names: Sequence[str]) -> Iterator[object]:
    """The elements of an open file at these names, the root's first; memory does not grow with the file.

    Elements on the way to them may come several times. Raises declaration.Unreadable, after the records before the
    fault.
    """
    whole = portions.Portions(file)
    head = whole.read(_HEAD_BYTES)
    parser, cutter = expatreader.create_parser(), _Cutter(names)
    parser.setContentHandler(cutter)
    for text in portions.texts(whole, _charset(head, declared), head):
        with _parsing():
            parser.feed(text)
        if cutter.has_passed:
            whole.passed()
        yield from cutter.take()
    with _parsing():
        parser.close()
    yield from cutter.take()


@contextlib.contextmanager
def _parsing() -> Iterator[None]:
    """Turn what the parser raises into declaration.Unreadable."""
    try:
        yield
    except defusedxml.DefusedXmlException:
        raise declaration.Unreadable(
            "The XML declares entities or names another document, which is refused."
        ) from None
    except SAXException as error:
        line = getattr(error, "getLineNumber", lambda: None)()
        raise declaration.Unreadable(f"Line {line} is not valid XML: {error.getMessage()}.") from None


def encode(body: object, declared: Declaration) -> bytes:
    """The document of an object, nothing of None. Raises declaration.Unwritable.

    What is no object with one key becomes <record>, a list <records> with a <record> for each item. Values that are
    not text are written as JSON, null as an empty element.
    """
    if body is None:
        return b""
    charset = declared.encoding.removesuffix("-sig")
    [(name, value)] = _document(body).items()
    written = "".join(_elements(name, value, charset, 1))
    # What the character set lacks can be written as a number.
    head = f'<?xml version="1.0" encoding="{charset}"?>\n'
    return f"{head}{written}".encode(charset, "xmlcharrefreplace")


class _Element:
    """An element while it is read."""

    __slots__ = ("has_elements", "members", "texts")

    def __init__(self, members: dict[str, object]) -> None:
        self.members = members
        self.texts: list[str] = []
        self.has_elements = False

    def add(self, name: str, value: object) -> None:
        self.has_elements = True
        before = self.members.get(name)
        if isinstance(before, list):
            before.append(value)
        else:
            self.members[name] = value if before is None else [before, value]

    def value(self) -> object:
        text = "".join(self.texts)
        if not self.members:
            return text
        if self.has_elements:
            text = text.strip(_SPACE)
        return {**self.members, "#text": text} if text else self.members


class _Reader(ContentHandler):
    """Builds the object; `body` is there at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.body: object = None
        self._open: list[_Element] = []

    def startElement(self, name: str, attrs: AttributesImpl[str]) -> None:
        _require_shallow(len(self._open))
        self._open.append(_Element({f"@{key}": value for key, value in attrs.items()}))

    def endElement(self, name: str) -> None:
        value = self._open.pop().value()
        if self._open:
            self._open[-1].add(name, value)
        else:
            self.body = {name: value}

    def characters(self, content: str) -> None:
        self._open[-1].texts.append(content)


class _Cutter(ContentHandler):
    """Builds only the elements at the names, one after another; `has_passed` when what was read is done with."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.has_passed = False
        self._names = names
        self._found: list[object] = []
        self._depth = 0
        # How many of the elements that are open have the names, from the root on.
        self._reached = 0
        self._open: list[_Element] = []

    def take(self) -> Sequence[object]:
        """The records since the last time."""
        taken, self._found, self.has_passed = self._found, [], False
        return taken

    def startElement(self, name: str, attrs: AttributesImpl[str]) -> None:
        _require_shallow(self._depth)
        self._depth += 1
        if not self._open:
            self.has_passed = True
            if self._reached != self._depth - 1 or name != self._names[self._reached]:
                return
            self._reached += 1
        if self._reached == len(self._names):
            self._open.append(_Element({f"@{key}": value for key, value in attrs.items()}))

    def endElement(self, name: str) -> None:
        self._depth -= 1
        if self._open:
            value = self._open.pop().value()
            if self._open:
                self._open[-1].add(name, value)
                return
            self._found.append(value)
        self.has_passed = True
        self._reached = min(self._reached, self._depth)

    def characters(self, content: str) -> None:
        if self._open:
            self._open[-1].texts.append(content)
        else:
            self.has_passed = True


def _require_shallow(depth: int) -> None:
    """Raises declaration.Unreadable for one more element in so many."""
    if depth == MAX_DEPTH:
        raise declaration.Unreadable(f"The XML is nested deeper than {MAX_DEPTH} levels.")


def _charset(raw: bytes, declared: Declaration) -> str:
    """The character set of a document, of which these are the first bytes."""
    if raw.startswith(_WIDE_MARKS):
        return "utf-16"
    return declared.charset or _own_charset(raw)


def _own_charset(raw: bytes) -> str:
    """The character set that the document itself declares."""
    found = _ENCODING.match(raw.removeprefix(codecs.BOM_UTF8), 0, 300)
    if found is None:
        return declaration.DEFAULT_CHARSET
    named = declaration.parse(f"{payload.XML_TYPE}; charset={found[1].decode('ascii')}")
    return named.encoding


def _document(body: object) -> Mapping[str, object]:
    if isinstance(body, dict) and payload.is_document(body):
        return body
    return {"records": {"record": body}} if isinstance(body, list) else {"record": body}


def _elements(name: str, value: object, charset: str, depth: int) -> Iterator[str]:
    """The element of a name, or of a list one for each item."""
    if isinstance(value, list):
        for item in value:
            inner = {"item": item} if isinstance(item, list) else item
            yield from _elements(name, inner, charset, depth)
        return
    if depth > MAX_DEPTH:
        raise declaration.Unwritable(f"XML is nested at most {MAX_DEPTH} levels deep.")
    _require_name(name, charset)
    if not isinstance(value, dict):
        yield f"<{name}>{_text(name, value).translate(_IN_TEXT)}</{name}>"
        return
    yield f"<{name}{''.join(_attributes(value, charset))}>"
    for key, member in value.items():
        if key == "#text":
            yield _text(name, member).translate(_IN_TEXT)
        elif key[:1] != "@":
            yield from _elements(key, member, charset, depth + 1)
    yield f"</{name}>"


def _attributes(element: Mapping[str, object], charset: str) -> Iterator[str]:
    for key, value in element.items():
        if key[:1] == "@":
            _require_name(key[1:], charset)
            yield f' {key[1:]}="{_text(key, value).translate(_IN_ATTRIBUTE)}"'


def _text(place: str, value: object) -> str:
    text = value if isinstance(value, str) else "" if value is None else msgspec.json.encode(value).decode()
    if fault := _NO_CHARACTER.search(text):
        raise declaration.Unwritable(f"'{place[:40]}' holds {fault[0]!a}, which XML has no character for.")
    return text


def _require_name(name: str, charset: str) -> None:
    declaration.encode(name, charset)
    if not _is_name(name):
        raise declaration.Unwritable(
            f"'{name[:40]}' is no name of an XML element; rename it, say with a map."
        )


@lru_cache(maxsize=4096)
def _is_name(name: str) -> bool:
    """Whether the parser takes it for the name of an element: which letters are allowed is its own matter."""
    try:
        return read(f"<{name}/>") == {name: ""}
    except declaration.Unreadable:
        return False
